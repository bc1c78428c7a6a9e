//! A contract as a list of what it promises: each function, type and world
//! item with its form, so that two can be compared.

use std::{collections::BTreeMap, path::Path};
use wit_parser::{
    Function, Handle, Interface, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey,
};

pub struct Contract {
    /// `0.1.0`.
    pub version: String,
    /// By name: `function effects.reply`, `type types.event`, `world plugin
    /// imports kv`.
    items: BTreeMap<String, String>,
    /// Interfaces that plugins export: nothing may be added to these.
    exported: Vec<String>,
}

impl Contract {
    pub fn read(folder: &Path) -> Self {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder).unwrap();
        let package = &resolve.packages[package];
        let mut contract = Self {
            version: package.name.version.as_ref().unwrap().to_string(),
            items: BTreeMap::new(),
            exported: Vec::new(),
        };
        for (name, id) in &package.interfaces {
            contract.interface(&resolve, name, &resolve.interfaces[*id]);
        }
        for (name, id) in &package.worlds {
            let world = &resolve.worlds[*id];
            for (way, items) in [("imports", &world.imports), ("exports", &world.exports)] {
                for (key, item) in items {
                    let key = match key {
                        WorldKey::Name(name) => name.clone(),
                        WorldKey::Interface(id) => resolve.interfaces[*id].name.clone().unwrap(),
                    };
                    let form = match item {
                        WorldItem::Interface { .. } => "an interface".into(),
                        WorldItem::Function(function) => form_of(&resolve, function),
                        WorldItem::Type { id, .. } => kind(&resolve, *id),
                    };
                    if way == "exports" {
                        contract.exported.push(key.clone());
                    }
                    contract.items.insert(format!("world {name} {way} {key}"), form);
                }
            }
        }
        contract
    }

    fn interface(&mut self, resolve: &Resolve, name: &str, interface: &Interface) {
        for (item, id) in &interface.types {
            self.items.insert(format!("type {name}.{item}"), kind(resolve, *id));
        }
        for (item, function) in &interface.functions {
            let form = form_of(resolve, function);
            self.items.insert(format!("function {name}.{item}"), form);
        }
    }

    /// `0.1`.
    pub fn series(&self) -> &str {
        self.version.rsplit_once('.').unwrap().0
    }

    /// Why a plugin that was built against `released` might not run on a host
    /// that serves this one.
    pub fn breaks(&self, released: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (name, was) in &released.items {
            match self.items.get(name) {
                None => found.push(format!("{name}: is gone; it was {was}")),
                Some(is) if is != was => found.push(format!("{name}: was {was}, and is {is}")),
                Some(_) => {}
            }
        }
        for name in self.items.keys().filter(|name| !released.items.contains_key(*name)) {
            let asked = name.starts_with("world ") && name.contains(" exports ")
                || released
                    .exported
                    .iter()
                    .any(|interface| name.starts_with(&format!("function {interface}.")));
            if asked {
                found.push(format!("{name}: is new, and plugins that exist do not export it"));
            }
        }
        found
    }
}

fn form_of(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|parameter| format!("{}: {}", parameter.name, written(resolve, &parameter.ty)))
        .collect();
    let result = function.result.map(|result| format!(" -> {}", written(resolve, &result)));
    let kind = format!("{:?}", function.kind);
    let how = if kind == "Freestanding" { "func" } else { &kind };
    format!("{how}({}){}", parameters.join(", "), result.unwrap_or_default())
}

fn written(resolve: &Resolve, kind_of: &Type) -> String {
    let Type::Id(id) = kind_of else { return format!("{kind_of:?}").to_lowercase() };
    let defined = &resolve.types[*id];
    match (&defined.name, defined.owner) {
        (Some(name), TypeOwner::Interface(owner)) => {
            format!("{}.{name}", resolve.interfaces[owner].name.as_deref().unwrap())
        }
        (Some(name), _) => name.clone(),
        (None, _) => kind(resolve, *id),
    }
}

fn kind(resolve: &Resolve, id: TypeId) -> String {
    let of = |one: &Type| written(resolve, one);
    let maybe = |one: &Option<Type>| one.as_ref().map_or_else(|| "_".into(), of);
    match &resolve.types[id].kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| format!("{}: {}", field.name, of(&field.ty)));
            format!("record {{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            let cases = cases.map(|case| format!("{}({})", case.name, maybe(&case.ty)));
            format!("variant {{ {} }}", cases.collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Enum(all) => {
            let cases: Vec<&str> = all.cases.iter().map(|case| &*case.name).collect();
            format!("enum {{ {} }}", cases.join(", "))
        }
        TypeDefKind::Flags(all) => {
            let flags: Vec<&str> = all.flags.iter().map(|flag| &*flag.name).collect();
            format!("flags {{ {} }}", flags.join(", "))
        }
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Option(one) => format!("option<{}>", of(one)),
        TypeDefKind::Result(both) => format!("result<{}, {}>", maybe(&both.ok), maybe(&both.err)),
        TypeDefKind::List(one) => format!("list<{}>", of(one)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", of(key), of(value)),
        TypeDefKind::FixedLengthList(one, length) => format!("list<{}, {length}>", of(one)),
        TypeDefKind::Future(one) => format!("future<{}>", maybe(one)),
        TypeDefKind::Stream(one) => format!("stream<{}>", maybe(one)),
        TypeDefKind::Handle(Handle::Own(id)) => format!("own<{}>", of(&Type::Id(*id))),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", of(&Type::Id(*id))),
        TypeDefKind::Type(one) => of(one),
        TypeDefKind::Resource => "resource".into(),
        TypeDefKind::Unknown => "unknown".into(),
    }
}
