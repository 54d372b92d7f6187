//! The public surface of the library, as a committed listing: what changes it is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Fields, FnArg, ImplItem, Item, ReturnType, TraitItem, Type, UseTree, Visibility};

/// The items of all modules, by path.
type Modules = BTreeMap<Vec<String>, Vec<Item>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: Vec<String>, file: &Path, modules: &mut Modules) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let items = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())).items;
    let items: Vec<Item> = items.into_iter().flat_map(expanded).collect();
    let folder = match file.file_name().unwrap().to_str().unwrap() {
        "lib.rs" | "mod.rs" => file.parent().unwrap().to_path_buf(),
        _ => file.with_extension(""),
    };
    for item in &items {
        let Item::Mod(module) = item else { continue };
        if is_test(&module.attrs) {
            continue;
        }
        let name = module.ident.to_string();
        let inside = [path.clone(), vec![name.clone()]].concat();
        if let Some((_, content)) = &module.content {
            modules.insert(inside, content.clone());
            continue;
        }
        let own = folder.join(format!("{name}.rs"));
        read(inside, &if own.exists() { own } else { folder.join(&name).join("mod.rs") }, modules);
    }
    modules.insert(path, items);
}

/// The modules and names that the lists of missions, analyses, statistics and kernels stand for.
fn expanded(item: Item) -> Vec<Item> {
    match item {
        Item::Macro(list) if ["missions", "analyses"].iter().any(|name| list.mac.path.is_ident(name)) => {
            let text = list.mac.tokens.to_string();
            let lines = text.split(';').filter_map(|line| line.split_once(':'));
            let items = lines.map(|(file, names)| format!("mod {file}; pub use {file}::{{{names}}};"));
            syn::parse_file(&items.collect::<String>()).unwrap().items
        }
        Item::Macro(list) if list.mac.path.is_ident("kernels") => {
            let text = list.mac.tokens.to_string();
            let items = text.split_whitespace().map(|kernel| format!("pub mod {kernel};"));
            syn::parse_file(&items.collect::<String>()).unwrap().items
        }
        Item::Macro(list) if list.mac.path.is_ident("search_statistics") => {
            let SearchStatistics(cases) = list.mac.parse_body().unwrap();
            let text = format!("pub enum SearchStatistic {{ {} }}", cases.join(","));
            syn::parse_file(&text).unwrap().items
        }
        item => vec![item],
    }
}

/// The cases of the list of test statistics: `/// Text Case = "name": file;`.
struct SearchStatistics(Vec<String>);

impl syn::parse::Parse for SearchStatistics {
    fn parse(input: syn::parse::ParseStream) -> syn::Result<SearchStatistics> {
        let mut all = Vec::new();
        while !input.is_empty() {
            input.call(syn::Attribute::parse_outer)?;
            all.push(input.parse::<syn::Ident>()?.to_string());
            input.parse::<syn::Token![=]>()?;
            input.parse::<syn::LitStr>()?;
            input.parse::<syn::Token![:]>()?;
            input.parse::<syn::Ident>()?;
            input.parse::<syn::Token![;]>()?;
        }
        Ok(SearchStatistics(all))
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("cfg") && a.to_token_stream().to_string().contains("test"))
}

fn is_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("doc") && a.to_token_stream().to_string().contains("hidden"))
}

/// Tokens as one writes them.
fn plain(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let mut out = text;
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" > ", "> "),
        (" >", ">"),
        ("> ;", ">;"),
        ("& ", "&"),
        (" ,", ","),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        (" :", ":"),
        ("-> ", " -> "),
        (" (", "("),
        ("* ", "*"),
        ("' ", "'"),
        ("> (", ">("),
        ("# [", "#["),
    ] {
        out = out.replace(from, to);
    }
    out.replace("->", " -> ").replace("  ", " ").replace("  ", " ")
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// What is listed, and where each name of a type stands.
struct Listing<'a> {
    modules: &'a Modules,
    lines: BTreeSet<String>,
    listed: BTreeMap<*const Item, String>,
    types: BTreeMap<String, BTreeSet<String>>,
}

impl Listing<'_> {
    fn module(&mut self, path: &[String], public: &str) {
        for item in &self.modules[path] {
            match item {
                Item::Mod(module) if is_public(&module.vis) && !is_hidden(&module.attrs) => {
                    let name = module.ident.to_string();
                    self.lines.insert(format!("mod {public}::{name}"));
                    self.module(&[path, std::slice::from_ref(&name)].concat(), &format!("{public}::{name}"));
                }
                Item::Use(used) if is_public(&used.vis) => self.used(path, &used.tree, Vec::new(), public),
                item => self.item(item, public, None),
            }
        }
    }

    /// Follows a re-export from a module to the item.
    fn used(&mut self, path: &[String], tree: &UseTree, before: Vec<String>, public: &str) {
        match tree {
            UseTree::Path(part) => {
                self.used(path, &part.tree, [before, vec![part.ident.to_string()]].concat(), public);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.used(path, tree, before.clone(), public)),
            UseTree::Name(name) => self.found(path, &before, &name.ident.to_string(), &name.ident.to_string(), public),
            UseTree::Rename(name) => {
                self.found(path, &before, &name.ident.to_string(), &name.rename.to_string(), public)
            }
            UseTree::Glob(_) => self.all_of(&before, public),
        }
    }

    /// What a module exports, modules excepted.
    fn all_of(&mut self, path: &[String], public: &str) {
        for item in &self.modules[path] {
            match item {
                Item::Use(used) if is_public(&used.vis) => self.used(path, &used.tree, Vec::new(), public),
                Item::Mod(_) => {}
                item => self.item(item, public, None),
            }
        }
    }

    fn found(&mut self, from: &[String], through: &[String], name: &str, shown: &str, public: &str) {
        let mut path = match through.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("super") => from[..from.len() - 1].to_vec(),
            _ => from.to_vec(),
        };
        path.extend(through.iter().filter(|part| !matches!(part.as_str(), "crate" | "self" | "super")).cloned());
        if name == "self" {
            return;
        }
        let module = [path.clone(), vec![name.to_string()]].concat();
        if self.is_public_module(&path, name) && !self.has(&path, name) {
            self.lines.insert(format!("mod {public}::{shown}"));
            self.module(&module, &format!("{public}::{shown}"));
            return;
        }
        let Some(items) = self.modules.get(&path) else { panic!("{public}: {} is no module", path.join("::")) };
        for item in items {
            if !matches!(item, Item::Mod(_)) && name_of(item).is_some_and(|own| own == name) {
                self.item(item, public, Some(shown));
                return;
            }
            if let Item::Use(used) = item
                && let Some(on) = route(&used.tree, name, Vec::new())
            {
                let (last, rest) = on.split_last().unwrap();
                return self.found(&path, rest, last, shown, public);
            }
        }
        panic!("{public}: {} has no {name}", path.join("::"));
    }

    fn is_public_module(&self, path: &[String], name: &str) -> bool {
        let public = |item: &Item| matches!(item, Item::Mod(own) if own.ident == name && is_public(&own.vis));
        self.modules.get(path).is_some_and(|items| items.iter().any(public))
    }

    fn has(&self, path: &[String], name: &str) -> bool {
        let not_a_module = |item: &&Item| !matches!(item, Item::Mod(_));
        self.modules
            .get(path)
            .is_some_and(|items| items.iter().filter(not_a_module).any(|i| name_of(i).is_some_and(|n| n == name)))
    }

    fn item(&mut self, item: &Item, public: &str, shown: Option<&str>) {
        let Some(name) = name_of(item) else { return };
        let visible = match item {
            Item::Const(i) => is_public(&i.vis),
            Item::Enum(i) => is_public(&i.vis),
            Item::Fn(i) => is_public(&i.vis),
            Item::Static(i) => is_public(&i.vis),
            Item::Struct(i) => is_public(&i.vis),
            Item::Trait(i) => is_public(&i.vis),
            Item::Type(i) => is_public(&i.vis),
            _ => false,
        };
        if !visible {
            return;
        }
        let place = format!("{public}::{}", shown.unwrap_or(&name));
        if let Some(first) = self.listed.get(&std::ptr::from_ref(item)) {
            self.lines.insert(format!("use {place} = {first}"));
            return;
        }
        self.listed.insert(std::ptr::from_ref(item), place.clone());
        let list = &mut self.lines;
        let line = match item {
            Item::Const(i) => format!("const {place}: {}", plain(&i.ty)),
            Item::Static(i) => format!("static {place}: {}", plain(&i.ty)),
            Item::Fn(i) => format!("fn {place}{}", signature(&i.sig)),
            Item::Type(i) => format!("type {place} = {}", plain(&i.ty)),
            Item::Struct(i) => {
                fields(&place, &i.fields, list);
                format!("struct {place}{}", plain(&i.generics))
            }
            Item::Enum(i) => {
                for variant in &i.variants {
                    list.insert(format!("variant {place}::{}{}", variant.ident, tuple(&variant.fields)));
                    if let Fields::Named(_) = variant.fields {
                        for field in &variant.fields {
                            let name = field.ident.as_ref().unwrap();
                            list.insert(format!("field {place}::{}::{name}: {}", variant.ident, plain(&field.ty)));
                        }
                    }
                }
                format!("enum {place}{}", plain(&i.generics))
            }
            Item::Trait(i) => {
                for inner in &i.items {
                    let line = match inner {
                        TraitItem::Fn(method) if !is_hidden(&method.attrs) => {
                            format!("method {place}::{}{}", method.sig.ident, signature(&method.sig))
                        }
                        TraitItem::Type(own) => format!("type {place}::{}: {}", own.ident, plain(&own.bounds)),
                        TraitItem::Const(own) => format!("const {place}::{}: {}", own.ident, plain(&own.ty)),
                        _ => continue,
                    };
                    list.insert(line);
                }
                format!("trait {place}{}", plain(&i.generics))
            }
            _ => return,
        };
        list.insert(line);
        if matches!(item, Item::Struct(_) | Item::Enum(_) | Item::Trait(_) | Item::Type(_)) {
            self.types.entry(name).or_default().insert(place);
        }
    }

    /// The methods and traits of what is listed, wherever they are written.
    fn methods(&mut self) {
        for item in self.modules.values().flatten() {
            if let Item::Macro(list) = item
                && list.mac.path.segments.last().is_some_and(|name| name.ident == "written_as_table")
            {
                for product in list.mac.tokens.to_string().split(',').map(str::trim) {
                    let Some(place) = self.types.get(product).and_then(|places| places.first()) else { continue };
                    let takes = "(&self, path: impl AsRef<std::path::Path>, overwrite: bool)";
                    self.lines.insert(format!("method {place}::write{takes} -> Result<()>"));
                }
            }
            let Item::Impl(block) = item else { continue };
            let Type::Path(path) = &*block.self_ty else { continue };
            let name = path.path.segments.last().unwrap().ident.to_string();
            let Some(place) = self.types.get(&name).and_then(|places| places.first()).cloned() else { continue };
            if let Some((_, of, _)) = &block.trait_ {
                self.lines.insert(format!("impl {} for {place}", plain(of)));
                continue;
            }
            for inner in &block.items {
                match inner {
                    ImplItem::Fn(method) if is_public(&method.vis) && !is_hidden(&method.attrs) => {
                        self.lines.insert(format!("method {place}::{}{}", method.sig.ident, signature(&method.sig)));
                    }
                    ImplItem::Const(value) if is_public(&value.vis) => {
                        self.lines.insert(format!("const {place}::{}: {}", value.ident, plain(&value.ty)));
                    }
                    ImplItem::Macro(list) if list.mac.path.is_ident("setters") => {
                        let setters: Setters = list.mac.parse_body().unwrap();
                        for (setter, of) in setters.0 {
                            self.lines
                                .insert(format!("method {place}::{setter}(self, {setter}: {}) -> Self", plain(of)));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The setters of an analysis, and what each takes: `/// Text name(type) => place;`.
struct Setters(Vec<(syn::Ident, Type)>);

impl syn::parse::Parse for Setters {
    fn parse(input: syn::parse::ParseStream) -> syn::Result<Setters> {
        let mut all = Vec::new();
        while !input.is_empty() {
            input.call(syn::Attribute::parse_outer)?;
            let (name, argument): (syn::Ident, _) = (input.parse()?, {
                let inside;
                syn::parenthesized!(inside in input);
                inside.parse()?
            });
            input.parse::<syn::Token![=>]>()?;
            input.parse::<syn::Expr>()?;
            input.parse::<syn::Token![;]>()?;
            all.push((name, argument));
        }
        Ok(Setters(all))
    }
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(i) => i.ident.to_string(),
        Item::Enum(i) => i.ident.to_string(),
        Item::Fn(i) => i.sig.ident.to_string(),
        Item::Mod(i) => i.ident.to_string(),
        Item::Static(i) => i.ident.to_string(),
        Item::Struct(i) => i.ident.to_string(),
        Item::Trait(i) => i.ident.to_string(),
        Item::Type(i) => i.ident.to_string(),
        _ => return None,
    })
}

/// The path by which a `use` brings a name.
fn route(tree: &UseTree, name: &str, before: Vec<String>) -> Option<Vec<String>> {
    match tree {
        UseTree::Path(part) => route(&part.tree, name, [before, vec![part.ident.to_string()]].concat()),
        UseTree::Group(group) => group.items.iter().find_map(|tree| route(tree, name, before.clone())),
        UseTree::Name(own) if own.ident == name => Some([before, vec![name.to_string()]].concat()),
        UseTree::Rename(own) if own.rename == name => Some([before, vec![own.ident.to_string()]].concat()),
        _ => None,
    }
}

fn fields(place: &str, fields: &Fields, list: &mut BTreeSet<String>) {
    for (i, field) in fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
        let name = field.ident.as_ref().map_or_else(|| i.to_string(), ToString::to_string);
        list.insert(format!("field {place}::{name}: {}", plain(&field.ty)));
    }
}

fn tuple(fields: &Fields) -> String {
    match fields {
        Fields::Unnamed(fields) => {
            format!("({})", fields.unnamed.iter().map(|field| plain(&field.ty)).collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    }
}

fn signature(signature: &syn::Signature) -> String {
    let arguments: Vec<String> = signature
        .inputs
        .iter()
        .map(|argument| match argument {
            FnArg::Receiver(own) => plain(own),
            FnArg::Typed(typed) => format!("{}: {}", plain(&typed.pat), plain(&typed.ty)),
        })
        .collect();
    let returned = match &signature.output {
        ReturnType::Default => String::new(),
        ReturnType::Type(_, returned) => format!(" -> {}", plain(returned)),
    };
    format!("{}({}){returned}", plain(&signature.generics), arguments.join(", "))
}

/// The listing, sorted, and the places of each type.
fn surface() -> (String, BTreeMap<String, BTreeSet<String>>) {
    let mut modules = Modules::new();
    read(Vec::new(), &root().join("src/lib.rs"), &mut modules);
    let none = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    let mut listing = Listing { modules: &modules, lines: none.0, listed: none.1, types: none.2 };
    listing.module(&[], "eagleray");
    listing.methods();
    // What is implemented stands with its type.
    let place = |line: &String| match line.split_once(" for ") {
        Some((of, place)) if line.starts_with("impl ") => Some((place.to_string(), of.to_string())),
        _ => line.split_once(' ').map(|(kind, place)| (place.to_string(), kind.to_string())),
    };
    let mut lines: Vec<String> = listing.lines.into_iter().collect();
    lines.sort_by_key(place);
    (lines.join("\n") + "\n", listing.types)
}

#[test]
fn the_public_surface_is_the_committed_listing() {
    let (listing, _) = surface();
    assert!(
        listing.contains("struct eagleray::data::gti::Gti\n") || listing.contains("struct eagleray::Gti\n"),
        "{listing}"
    );
    let path = root().join("docs/public-surface.txt");
    if std::env::var_os("EAGLERAY_WRITE_PAGES").is_some() {
        std::fs::write(&path, &listing).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (committed.lines().collect(), listing.lines().collect());
    let gone: Vec<String> = old.difference(&new).map(|line| format!("- {line}")).collect();
    let came: Vec<String> = new.difference(&old).map(|line| format!("+ {line}")).collect();
    assert!(
        committed == listing,
        "the public surface is not docs/public-surface.txt; run with EAGLERAY_WRITE_PAGES=1 and look at what changes:\n{}",
        [gone, came].concat().join("\n")
    );
}

#[test]
fn no_public_name_stands_for_two_types() {
    let (_, types) = surface();
    let twice: Vec<_> = types.iter().filter(|(name, places)| places.len() > 1 && !name.ends_with("Params")).collect();
    assert!(twice.is_empty(), "types of one name: {twice:?}");
}

/// No type of the library has another's name, private ones included, parameters of kernels and what is inside functions excepted.
#[test]
fn no_name_stands_for_two_types() {
    let mut modules = Modules::new();
    read(Vec::new(), &root().join("src/lib.rs"), &mut modules);
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, items) in &modules {
        for item in
            items.iter().filter(|i| matches!(i, Item::Struct(_) | Item::Enum(_) | Item::Trait(_) | Item::Type(_)))
        {
            places.entry(name_of(item).unwrap()).or_default().push(path.join("::"));
        }
    }
    let twice: Vec<_> = places.iter().filter(|(name, places)| places.len() > 1 && !name.ends_with("Params")).collect();
    assert!(twice.is_empty(), "types of one name: {twice:?}");
}
