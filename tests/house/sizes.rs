//! How long files and functions are.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::Source;

/// Files of more than `max` lines, longest first.
pub fn long_files(sources: &[Source], max: usize) -> Vec<String> {
    let mut long: Vec<(usize, &str)> = sources
        .iter()
        .map(|source| (source.text.lines().count(), source.name.as_str()))
        .filter(|(lines, _)| *lines > max)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    long.into_iter()
        .map(|(lines, name)| format!("{lines} {name}"))
        .collect()
}

/// A function and its length.
pub struct Function {
    pub file: String,
    pub name: String,
    pub lines: usize,
}

impl std::fmt::Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.lines, self.file, self.name)
    }
}

/// Functions of more than `max` lines from `fn` to the closing brace, longest first.
pub fn long_functions(sources: &[Source], max: usize) -> Vec<Function> {
    let mut long = Vec::new();
    for source in sources {
        let mut search = Search {
            file: &source.name,
            max,
            found: &mut long,
        };
        search.visit_file(&source.syntax);
    }
    long.sort_by_key(|function| std::cmp::Reverse(function.lines));
    long
}

struct Search<'a> {
    file: &'a str,
    max: usize,
    found: &'a mut Vec<Function>,
}

impl Search<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.span().end().line + 1 - signature.span().start().line;
        if lines > self.max {
            self.found.push(Function {
                file: self.file.to_string(),
                name: signature.ident.to_string(),
                lines,
            });
        }
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}
