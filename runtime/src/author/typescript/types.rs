//! The contract as TypeScript declares it: one module for each interface, so
//! that editors complete and `tsc` checks what a plugin imports.

use super::super::{BuildError, bindings::Contract};
use std::fmt::Write;
use wit_parser::{
    Docs, Function, Interface, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner,
    WorldItem,
};

/// What QuickJS gives for an option that is none.
const OR_NONE: &str = " | null";

/// The text of `switchboard.d.ts`.
pub(in super::super) fn of(contract: &Contract) -> Result<String, BuildError> {
    let Contract { resolve, world } = contract;
    let world = resolve.worlds.get(*world).ok_or_else(|| unknown("the world"))?;
    let mut text = "// The contract between a plugin and its host. Made by `switchboard plugin \
                    build`; not to be changed by hand.\n"
        .to_owned();
    for (items, exported) in [(&world.imports, false), (&world.exports, true)] {
        for item in items.values() {
            if let WorldItem::Interface { id, .. } = item {
                Module { resolve, id: *id, text: &mut text }.write(exported)?;
            }
        }
    }
    Ok(text)
}

fn unknown(what: &str) -> BuildError {
    BuildError::Contract(format!("{what} has no TypeScript"))
}

struct Module<'a> {
    resolve: &'a Resolve,
    id: InterfaceId,
    text: &'a mut String,
}

impl Module<'_> {
    fn write(&mut self, exported: bool) -> Result<(), BuildError> {
        let resolve = self.resolve;
        let interface = resolve.interfaces.get(self.id).ok_or_else(|| unknown("an interface"))?;
        let name = resolve.id_of(self.id).ok_or_else(|| unknown("a nameless interface"))?;
        self.line("", "");
        self.docs("", &interface.docs);
        self.line("", &format!("declare module \"{name}\" {{"));
        for (name, id) in &interface.types {
            self.named(name, *id)?;
        }
        if exported {
            self.exports(interface)?;
        } else {
            for function in interface.functions.values() {
                self.import(function)?;
            }
        }
        self.line("", "}");
        Ok(())
    }

    /// What a plugin implements.
    fn exports(&mut self, interface: &Interface) -> Result<(), BuildError> {
        let name = pascal(interface.name.as_deref().unwrap_or("exports"));
        self.line("  ", &format!("export interface {name} {{"));
        for function in interface.functions.values() {
            self.function_docs("    ", function)?;
            let signature = self.signature(function)?;
            self.line("    ", &format!("{}{signature};", camel(&function.name)));
        }
        self.line("  ", "}");
        Ok(())
    }

    fn import(&mut self, function: &Function) -> Result<(), BuildError> {
        let (name, signature) = (camel(&function.name), self.signature(function)?);
        self.function_docs("  ", function)?;
        // A word of the language can be exported but not declared.
        if name == "delete" {
            self.line("  ", &format!("function _{name}{signature};"));
            self.line("  ", &format!("export {{ _{name} as {name} }};"));
        } else {
            self.line("  ", &format!("export function {name}{signature};"));
        }
        Ok(())
    }

    fn signature(&self, function: &Function) -> Result<String, BuildError> {
        let mut parameters = Vec::new();
        for parameter in &function.params {
            let kind = self.kind(&parameter.ty)?;
            parameters.push(format!("{}: {kind}", camel(&parameter.name)));
        }
        let result = match &function.result {
            None => "void".to_owned(),
            Some(kind) => match self.as_result(kind) {
                Some((Some(ok), _)) => self.kind(&ok)?,
                Some((None, _)) => "void".to_owned(),
                None => self.kind(kind)?,
            },
        };
        Ok(format!("({}): {result}", parameters.join(", ")))
    }

    /// The parts of a `result`, which in JavaScript is returned or thrown.
    fn as_result(&self, kind: &Type) -> Option<(Option<Type>, Option<Type>)> {
        let Type::Id(id) = kind else { return None };
        match &self.resolve.types.get(*id)?.kind {
            TypeDefKind::Result(result) => Some((result.ok, result.err)),
            _ => None,
        }
    }

    fn named(&mut self, name: &str, id: TypeId) -> Result<(), BuildError> {
        let resolve = self.resolve;
        let of = resolve.types.get(id).ok_or_else(|| unknown(name))?;
        let title = pascal(name);
        self.docs("  ", &of.docs);
        match &of.kind {
            TypeDefKind::Record(record) => {
                self.line("  ", &format!("export interface {title} {{"));
                for field in &record.fields {
                    self.docs("    ", &field.docs);
                    let (name, kind) = (camel(&field.name), self.kind(&field.ty)?);
                    let mark = if kind.ends_with(OR_NONE) { "?" } else { "" };
                    self.line("    ", &format!("{name}{mark}: {kind};"));
                }
                self.line("  ", "}");
            }
            TypeDefKind::Variant(variant) => {
                self.line("  ", &format!("export type {title} ="));
                for case in &variant.cases {
                    self.docs("    ", &case.docs);
                    let value = match &case.ty {
                        Some(kind) => format!("; val: {}", self.kind(kind)?),
                        None => String::new(),
                    };
                    self.line("    ", &format!("| {{ tag: \"{}\"{value} }}", case.name));
                }
                self.line("    ", ";");
            }
            TypeDefKind::Enum(kinds) => {
                self.line("  ", &format!("export type {title} ="));
                for case in &kinds.cases {
                    self.docs("    ", &case.docs);
                    self.line("    ", &format!("| \"{}\"", case.name));
                }
                self.line("    ", ";");
            }
            TypeDefKind::Type(kind) => {
                let other = self.elsewhere(of, kind);
                let kind = match other {
                    Some(other) => other,
                    None => self.kind(kind)?,
                };
                self.line("  ", &format!("export type {title} = {kind};"));
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// `use types.{event}`: the same type in its own module.
    fn elsewhere(&self, of: &TypeDef, kind: &Type) -> Option<String> {
        let (Type::Id(id), TypeOwner::Interface(here)) = (kind, of.owner) else { return None };
        let target = self.resolve.types.get(*id)?;
        match target.owner {
            TypeOwner::Interface(there) if there != here => {
                let module = self.resolve.id_of(there)?;
                Some(format!("import(\"{module}\").{}", pascal(target.name.as_deref()?)))
            }
            _ => None,
        }
    }

    fn kind(&self, kind: &Type) -> Result<String, BuildError> {
        let id = match kind {
            Type::Bool => return Ok("boolean".into()),
            Type::String | Type::Char => return Ok("string".into()),
            // Exact to 2^53: a moment is far below.
            Type::U64 | Type::S64 => return Ok("number".into()),
            Type::U8 | Type::S8 | Type::U16 | Type::S16 | Type::U32 | Type::S32 => {
                return Ok("number".into());
            }
            Type::F32 | Type::F64 => return Ok("number".into()),
            Type::ErrorContext => return Err(unknown("an error context")),
            Type::Id(id) => id,
        };
        let of = self.resolve.types.get(*id).ok_or_else(|| unknown("a type"))?;
        match (&of.name, &of.kind) {
            (Some(name), _) => Ok(pascal(name)),
            (None, TypeDefKind::List(Type::U8)) => Ok("Uint8Array".into()),
            (None, TypeDefKind::List(of)) => Ok(format!("{}[]", self.kind(of)?)),
            (None, TypeDefKind::Tuple(of)) => {
                let kinds = of.types.iter().map(|kind| self.kind(kind));
                Ok(format!("[{}]", kinds.collect::<Result<Vec<_>, _>>()?.join(", ")))
            }
            (None, TypeDefKind::Option(of)) => Ok(format!("{}{OR_NONE}", self.kind(of)?)),
            (None, _) => Err(unknown("a type without a name")),
        }
    }

    fn function_docs(&mut self, indent: &str, function: &Function) -> Result<(), BuildError> {
        let thrown = function.result.as_ref().and_then(|kind| self.as_result(kind));
        let mut text = function.docs.contents.clone().unwrap_or_default();
        if let Some((_, Some(error))) = thrown {
            text = format!("{}\n@throws {{{}}}", text.trim_end(), self.kind(&error)?);
        }
        self.docs(indent, &Docs { contents: Some(text) });
        Ok(())
    }

    fn docs(&mut self, indent: &str, docs: &Docs) {
        let text = docs.contents.as_deref().unwrap_or_default().trim();
        match text.lines().count() {
            0 => {}
            1 => self.line(indent, &format!("/** {text} */")),
            _ => {
                self.line(indent, "/**");
                text.lines().for_each(|line| self.line(indent, format!(" * {line}").trim_end()));
                self.line(indent, " */");
            }
        }
    }

    fn line(&mut self, indent: &str, line: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{indent}{line}");
    }
}

/// `set-timer` → `setTimer`.
fn camel(name: &str) -> String {
    let mut made = pascal(name);
    if let Some(first) = made.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    made
}

/// `media-source` → `MediaSource`.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let mut word = word.to_owned();
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        word
    };
    name.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_declared_as_a_plugin_sees_it() {
        let text = of(&Contract::read().unwrap()).unwrap();
        for part in [
            "declare module \"switchboard:plugin/effects@0.1.0\" {",
            "  export function setTimer(name: string, due: Instant, payload: string): void;",
            "  export type Instant = import(\"switchboard:plugin/types@0.1.0\").Instant;",
            "  export type Instant = number;",
            "    rulesSchema?: string | null;",
            "  export function tag(name: string, expires: Instant | null): void;",
            "    | { tag: \"message\"; val: Message }",
            "  export { _delete as delete };",
            "    headers: [string, string][];",
            "  export function get(scope: Scope, key: string): Uint8Array | null;",
            "  export interface Guest {",
            "    handle(event: Event): Verdict;",
            "     * @throws {string}",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
