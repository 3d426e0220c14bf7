//! Which file imports which.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::source::Source;

/// Arrows between files or modules, by name.
pub struct Graph {
    arrows: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// An arrow from each file to each file that it takes something from.
    pub fn of_files(sources: &[Source]) -> Self {
        let modules: BTreeMap<Vec<String>, &Source> = sources
            .iter()
            .map(|source| (source.module(), source))
            .collect();
        let exports: BTreeMap<Vec<String>, Vec<Import>> = modules
            .iter()
            .map(|(module, source)| (module.clone(), reexports(source)))
            .collect();
        let resolver = Resolver { modules, exports };
        let mut arrows = BTreeMap::new();
        for source in sources {
            let mut to: BTreeSet<String> = uses(source)
                .iter()
                .filter_map(|path| resolver.file_of(path, 0))
                .collect();
            to.remove(&source.name);
            arrows.insert(source.name.clone(), to);
        }
        Self { arrows }
    }

    /// The same between the top-level modules.
    pub fn by_room(&self) -> Self {
        let room = |file: &str| {
            let inside = file.trim_start_matches("src/").trim_end_matches(".rs");
            inside.split('/').next().unwrap_or_default().to_string()
        };
        let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in &self.arrows {
            let from = room(from);
            let to = to.iter().map(|file| room(file)).filter(|to| *to != from);
            arrows.entry(from.clone()).or_default().extend(to);
        }
        Self { arrows }
    }

    /// Every arrow: who imports, and from where.
    pub fn arrows(&self) -> impl Iterator<Item = (&str, &str)> {
        let from = self.arrows.iter();
        from.flat_map(|(from, to)| to.iter().map(|to| (from.as_str(), to.as_str())))
    }

    /// Each cycle as text: its members, and the arrows between them.
    pub fn rings(&self) -> Vec<String> {
        let reach: BTreeMap<&str, BTreeSet<&str>> = self
            .arrows
            .keys()
            .map(|from| (from.as_str(), self.reachable(from)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut rings = Vec::new();
        for (&from, others) in &reach {
            if !others.contains(from) || !seen.insert(from) {
                continue;
            }
            let ring: BTreeSet<&str> = others
                .iter()
                .copied()
                .filter(|&other| reach.get(other).is_some_and(|back| back.contains(from)))
                .collect();
            seen.extend(&ring);
            rings.push(self.describe(&ring));
        }
        rings
    }

    fn describe(&self, ring: &BTreeSet<&str>) -> String {
        let mut text = format!("{} in a cycle:", ring.len());
        for from in ring {
            for to in self.arrows[*from]
                .iter()
                .filter(|to| ring.contains(to.as_str()))
            {
                text.push_str(&format!("\n  {from} -> {to}"));
            }
        }
        text
    }

    fn reachable<'a>(&'a self, from: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = vec![from];
        while let Some(file) = next.pop() {
            for to in self.arrows.get(file).into_iter().flatten() {
                if found.insert(to.as_str()) {
                    next.push(to);
                }
            }
        }
        found
    }
}

/// A name that a module makes available, and the absolute path behind it; `*` is everything there.
struct Import {
    name: String,
    path: Vec<String>,
}

struct Resolver<'a> {
    modules: BTreeMap<Vec<String>, &'a Source>,
    exports: BTreeMap<Vec<String>, Vec<Import>>,
}

/// Re-exports of re-exports are followed this far.
const MAX_DEPTH: usize = 8;

impl Resolver<'_> {
    /// The file that defines what an absolute path names; `None` for what is not in this crate.
    fn file_of(&self, path: &[String], depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let module = (0..=path.len())
            .rev()
            .map(|length| &path[..length])
            .find(|prefix| self.modules.contains_key(*prefix))?;
        if let Some(item) = path.get(module.len()) {
            for import in &self.exports[module] {
                if import.name == *item {
                    let mut target = import.path.clone();
                    target.extend_from_slice(&path[module.len() + 1..]);
                    if target != path
                        && let Some(file) = self.file_of(&target, depth + 1)
                    {
                        return Some(file);
                    }
                }
            }
        }
        Some(self.modules[module].name.clone())
    }
}

/// What a file re-exports (`pub use` in any visibility).
fn reexports(source: &Source) -> Vec<Import> {
    let mut found = Vec::new();
    for item in &source.syntax.items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            let mut leaves = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut leaves);
            for (path, name) in leaves {
                if let Some(path) = absolute(&path, &source.module(), &source.module()) {
                    found.push(Import { name, path });
                }
            }
        }
    }
    found
}

/// The absolute paths that a file uses, without those of its tests.
fn uses(source: &Source) -> Vec<Vec<String>> {
    let mut search = Search {
        file: source.module(),
        module: source.module(),
        found: Vec::new(),
    };
    search.visit_file(&source.syntax);
    search.found
}

struct Search {
    /// The module that the file is.
    file: Vec<String>,
    /// The module that is being visited: the file's, or an inline one in it.
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

impl Search {
    fn take(&mut self, path: &[String]) {
        if path.len() > 1
            && let Some(path) = absolute(path, &self.module, &self.file)
        {
            self.found.push(path);
        }
    }

    /// Paths such as `crate::a::b` among the tokens of a macro.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.take(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.take(&std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.take_tokens(group.stream());
                    }
                }
            }
        }
        self.take(&path);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() || is_test(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A re-export ties others to the file that it names, not the module that hands it on.
        if !matches!(item.vis, syn::Visibility::Inherited) {
            return;
        }
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, _) in leaves {
            self.take(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if parts.len() > 1 {
            self.take(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.take_tokens(item.tokens.clone());
    }

    // Derives, for instance.
    fn visit_attribute(&mut self, item: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &item.meta {
            self.take_tokens(list.tokens.clone());
        }
    }
}

/// The paths in a `use`, each with the name that it gets.
fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Name(name) => leaf(before, &name.ident.to_string(), None, leaves),
        syn::UseTree::Rename(rename) => {
            leaf(
                before,
                &rename.ident.to_string(),
                Some(rename.rename.to_string()),
                leaves,
            );
        }
        syn::UseTree::Glob(_) => leaves.push((before.clone(), "*".into())),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, leaves);
            }
        }
    }
}

fn leaf(
    before: &[String],
    name: &str,
    rename: Option<String>,
    leaves: &mut Vec<(Vec<String>, String)>,
) {
    let mut path = before.to_vec();
    if name != "self" {
        path.push(name.to_string());
    }
    let name = rename.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
    leaves.push((path, name));
}

/// A path from the crate's root; `None` for what is no path into this crate. Without `crate`, `self` or `super` a path may begin
/// with a child of the file's module.
fn absolute(path: &[String], module: &[String], file: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" | "kiln" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let mut module = module.to_vec();
            let mut rest = path;
            while let Some((first, others)) = rest.split_first()
                && first == "super"
            {
                module.pop()?;
                rest = others;
            }
            module.extend_from_slice(rest);
            Some(module)
        }
        // A child module, if there is one of this name; the resolver falls back to the file itself.
        _ => Some([file, path].concat()),
    }
}

/// Whether a file names a crate or a path of another crate, such as `std::fs`, outside its tests.
pub fn mentions(source: &Source, path: &str) -> bool {
    let wanted: Vec<&str> = path.split("::").collect();
    let file = source.module();
    uses(source).iter().any(|found| {
        let outside = found.strip_prefix(file.as_slice());
        outside.is_some_and(|outside| {
            outside.len() >= wanted.len() && outside.iter().zip(&wanted).all(|(a, b)| a == b)
        })
    })
}

/// Whether a file writes to standard output or standard error, outside its tests.
pub fn prints(source: &Source) -> bool {
    struct Prints(bool);
    impl<'ast> Visit<'ast> for Prints {
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            if !is_test(&item.attrs) {
                visit::visit_item_mod(self, item);
            }
        }
        fn visit_macro(&mut self, item: &'ast syn::Macro) {
            let name = item.path.segments.last().map(|part| part.ident.to_string());
            let prints = ["print", "println", "eprint", "eprintln", "dbg"];
            self.0 |= name.is_some_and(|name| prints.contains(&name.as_str()));
        }
    }
    let mut search = Prints(false);
    search.visit_file(&source.syntax);
    search.0 || mentions(source, "std::io::stdout") || mentions(source, "std::io::stderr")
}
