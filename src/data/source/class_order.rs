//! The order of classes that are named by folders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How class folders are sorted whose names are all numbers. Other names are sorted as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ClassOrder {
    /// By value: `2` before `10`.
    #[default]
    Numeric,
    /// As text: `10` before `2`, as torchvision's `ImageFolder` sorts them.
    Text,
}

impl ClassOrder {
    /// The name used in configs.
    pub fn name(self) -> &'static str {
        match self {
            ClassOrder::Numeric => "numeric",
            ClassOrder::Text => "text",
        }
    }

    /// Whether this is the order of configs that don't state one.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Sorts the names of class folders.
    pub fn sort(self, names: &mut [String]) {
        let are_numbers = names.iter().all(|name| name.parse::<u64>().is_ok());
        if are_numbers && self == ClassOrder::Numeric {
            // `7` and `07` are different classes; they are ordered by name.
            names.sort_by_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
        } else {
            names.sort();
        }
    }

    /// Whether the names are sorted differently in the two orders.
    pub fn matters_for(names: &[String]) -> bool {
        let sorted = |order: Self| {
            let mut names = names.to_vec();
            order.sort(&mut names);
            names
        };
        sorted(ClassOrder::Numeric) != sorted(ClassOrder::Text)
    }
}
