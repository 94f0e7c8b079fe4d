//! What a component's binary says before it is compiled: its imports and exports, and what each instance takes from the
//! pool.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, Encoding,
    Parser, Payload,
};

use crate::model::limits::Limits;
use crate::model::text::printable;
use crate::tenant::{Imports, OFFERED};

/// How many bytes of a component's name an error shows.
const NAME_SHOWN_BYTES: usize = 256;
/// The bytes of a page of linear memory.
const PAGE_BYTES: u64 = 64 << 10;

/// What one instance takes from the pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolNeed {
    pub core_instances: u32,
    pub memories: u32,
    pub tables: u32,
    /// The bytes of all memories before any of them grows.
    pub memory_bytes: u64,
    /// The elements of the largest table before it grows.
    pub table_elements: u64,
}

impl PoolNeed {
    fn add(&mut self, other: Self) {
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
        self.table_elements = self.table_elements.max(other.table_elements);
    }

    /// Checks that the pool's and the plugin's limits allow it. An error names the limit.
    pub fn check(&self, limits: &Limits) -> Result<(), String> {
        let counts = [
            (
                "core instances",
                self.core_instances,
                "core-instances-per-component",
                limits.core_instances_per_component,
            ),
            ("memories", self.memories, "memories-per-component", limits.memories_per_component),
            ("tables", self.tables, "tables-per-component", limits.tables_per_component),
        ];
        if let Some((what, count, key, max)) = counts.into_iter().find(|(_, count, _, max)| count > max) {
            return Err(format!("has {count} {what}, more than {key}: at most {max}"));
        }
        if self.memory_bytes > limits.memory_bytes as u64 {
            return Err(format!(
                "begins with {} bytes of memory, more than memory-bytes: at most {}",
                self.memory_bytes, limits.memory_bytes
            ));
        }
        if self.table_elements > limits.table_elements as u64 {
            return Err(format!(
                "begins with a table of {} elements, more than table-elements: at most {}",
                self.table_elements, limits.table_elements
            ));
        }
        Ok(())
    }
}

/// The interface that every plugin must export.
const CONTRACT: &str = "parlor:room/guest@0.1.0";

/// What a component's binary says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// The imports with their versions, in the order of the file.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub need: PoolNeed,
}

/// Whether a tenant's plugin may use an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStanding {
    Granted,
    NotGranted,
    NotOffered,
}

/// Whether a tenant with these grants may use an import.
pub fn standing(import: &str, granted: &Imports) -> ImportStanding {
    let interface = import.split('@').next().unwrap_or(import);
    match (OFFERED.contains(&interface), granted.allow(interface)) {
        (false, _) => ImportStanding::NotOffered,
        (true, false) => ImportStanding::NotGranted,
        (true, true) => ImportStanding::Granted,
    }
}

impl Anatomy {
    /// Reads a component. An error says where the binary is invalid.
    pub fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = AnatomyReader::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let read = payload.map_err(|why| why.to_string()).and_then(|payload| reader.take(payload));
            read.map_err(|why| printable(&why[..why.floor_char_boundary(NAME_SHOWN_BYTES)]))?;
        }
        Ok(reader.anatomy)
    }

    /// Checks, as far as the binary tells, that a tenant with these grants can load the component as a plugin.
    pub fn check(&self, granted: &Imports, limits: &Limits) -> Result<(), String> {
        self.check_imports(granted)?;
        self.need.check(limits)?;
        if self.exports.iter().any(|export| export == CONTRACT) {
            return Ok(());
        }
        // Compare without the version: the plugin may be made for an older or a newer host.
        let name = CONTRACT.split('@').next().unwrap_or(CONTRACT);
        match self.exports.iter().find(|export| export.split('@').next() == Some(name)) {
            Some(other) => Err(format!("exports the contract {}; this host serves {CONTRACT}", shown(other))),
            None => Err(format!("does not export the contract {CONTRACT}")),
        }
    }

    /// Checks the imports. An error names the first one that a tenant with these grants may not use.
    fn check_imports(&self, granted: &Imports) -> Result<(), String> {
        for import in &self.imports {
            let why = match standing(import, granted) {
                ImportStanding::Granted => continue,
                ImportStanding::NotGranted => "which its tenant is not granted",
                ImportStanding::NotOffered => "which this host does not offer",
            };
            return Err(format!("imports {}, {why}", shown(import)));
        }
        Ok(())
    }
}

/// Makes a component's own text safe to print within a line.
fn shown(name: &str) -> String {
    printable(&name[..name.floor_char_boundary(NAME_SHOWN_BYTES)])
}

/// A module or a component that is being read. Components nest.
enum NestingLevel {
    Module(PoolNeed),
    Component { modules: Vec<PoolNeed>, components: Vec<PoolNeed>, need: PoolNeed },
}

/// Adds up what is instantiated. Modules and components that an instance exports do not count here; the pool counts
/// them.
#[derive(Default)]
struct AnatomyReader {
    levels: Vec<NestingLevel>,
    anatomy: Anatomy,
}

impl AnatomyReader {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), String> {
        let words = |why: wasmparser::BinaryReaderError| why.to_string();
        match payload {
            Payload::Version { encoding, .. } => self.levels.push(match encoding {
                Encoding::Module => NestingLevel::Module(PoolNeed { core_instances: 1, ..PoolNeed::default() }),
                Encoding::Component => {
                    NestingLevel::Component { modules: Vec::new(), components: Vec::new(), need: PoolNeed::default() }
                }
            }),
            Payload::End(_) => self.end(),
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(words)?;
                    let bytes = memory.initial.saturating_mul(PAGE_BYTES);
                    self.of_module(PoolNeed { memories: 1, memory_bytes: bytes, ..PoolNeed::default() });
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let elements = table.map_err(words)?.ty.initial;
                    self.of_module(PoolNeed { tables: 1, table_elements: elements, ..PoolNeed::default() });
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let wasmparser::Instance::Instantiate { module_index, .. } = instance.map_err(words)? {
                        self.instantiate(module_index, |level| match level {
                            NestingLevel::Component { modules, .. } => modules,
                            NestingLevel::Module(_) => &[],
                        });
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance.map_err(words)? {
                        self.instantiate(component_index, |level| match level {
                            NestingLevel::Component { components, .. } => components,
                            NestingLevel::Module(_) => &[],
                        });
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias.map_err(words)?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(words)?;
                    self.import(import.name.name, &import.ty);
                }
            }
            Payload::ComponentExportSection(section) if self.levels.len() == 1 => {
                for export in section {
                    self.anatomy.exports.push(export.map_err(words)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn of_module(&mut self, more: PoolNeed) {
        if let Some(NestingLevel::Module(need)) = self.levels.last_mut() {
            need.add(more);
        }
    }

    fn instantiate(&mut self, index: u32, space: impl Fn(&NestingLevel) -> &[PoolNeed]) {
        let Some(level) = self.levels.last_mut() else { return };
        let of_one = space(level).get(index as usize).copied().unwrap_or_default();
        if let NestingLevel::Component { need, .. } = level {
            need.add(of_one);
        }
    }

    /// Notes an import. An imported module or component takes an index as well.
    fn import(&mut self, name: &str, kind: &ComponentTypeRef) {
        match kind {
            ComponentTypeRef::Module(_) => self.number_module(),
            ComponentTypeRef::Component(_) => self.number_component(),
            _ => {}
        }
        if self.levels.len() == 1 {
            self.anatomy.imports.push(name.to_owned());
        }
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match *alias {
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => self.number_module(),
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => self.number_component(),
            ComponentAlias::Outer { kind, count, index } => self.outer_alias(kind, count, index),
            _ => {}
        }
    }

    /// Notes an alias of something that an enclosing component defines.
    fn outer_alias(&mut self, kind: ComponentOuterAliasKind, count: u32, index: u32) {
        let outer = self.levels.len().checked_sub(1 + count as usize).and_then(|place| self.levels.get(place));
        let Some(NestingLevel::Component { modules, components, .. }) = outer else { return };
        let need = |space: &[PoolNeed]| space.get(index as usize).copied().unwrap_or_default();
        let (module, component) = (need(modules), need(components));
        if let Some(NestingLevel::Component { modules, components, .. }) = self.levels.last_mut() {
            match kind {
                ComponentOuterAliasKind::CoreModule => modules.push(module),
                ComponentOuterAliasKind::Component => components.push(component),
                _ => {}
            }
        }
    }

    fn number_module(&mut self) {
        if let Some(NestingLevel::Component { modules, .. }) = self.levels.last_mut() {
            modules.push(PoolNeed { core_instances: 1, ..PoolNeed::default() });
        }
    }

    fn number_component(&mut self) {
        if let Some(NestingLevel::Component { components, .. }) = self.levels.last_mut() {
            components.push(PoolNeed::default());
        }
    }

    fn end(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        match (level, self.levels.last_mut()) {
            (NestingLevel::Module(need), Some(NestingLevel::Component { modules, .. })) => modules.push(need),
            (NestingLevel::Component { need, .. }, Some(NestingLevel::Component { components, .. })) => {
                components.push(need)
            }
            (NestingLevel::Component { need, .. }, None) => self.anatomy.need = need,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wat: &str) -> Anatomy {
        Anatomy::of(&wat::parse_str(wat).unwrap()).unwrap()
    }

    #[test]
    fn instances_memories_and_tables_are_counted_where_they_are_made() {
        let anatomy = of(r#"(component
            (core module $unused (memory 9))
            (core module $small (memory 1) (table 1 funcref) (table 1 funcref))
            (core instance (instantiate $small))
            (core instance (instantiate $small))
            (component $inner
                (core module $m (memory 2))
                (core instance (instantiate $m)))
            (instance (instantiate $inner))
            (instance (instantiate $inner))
            (instance (instantiate $inner)))"#);
        let need =
            PoolNeed { core_instances: 5, memories: 5, tables: 4, memory_bytes: 8 * PAGE_BYTES, table_elements: 1 };
        assert_eq!(anatomy.need, need);
    }

    #[test]
    fn what_is_defined_further_out_counts_where_it_is_instantiated() {
        let anatomy = of(r#"(component $out
            (core module $m (memory 2) (table 7 funcref))
            (component $two (alias outer $out $m (core module $n))
                (core instance (instantiate $n)) (core instance (instantiate $n)))
            (component $four (alias outer $out $two (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))
            (instance (instantiate $four)))"#);
        let need =
            PoolNeed { core_instances: 4, memories: 4, tables: 4, memory_bytes: 8 * PAGE_BYTES, table_elements: 7 };
        assert_eq!(anatomy.need, need);
    }

    #[test]
    fn imports_and_exports_have_their_names() {
        let anatomy = of(r#"(component
            (import "parlor:room/outbox@0.1.0" (instance))
            (import "novel" (func))
            (component (import "inner" (func)))
            (instance $i (export "f" (func 0)))
            (export "parlor:room/guest@0.1.0" (instance $i)))"#);
        assert_eq!(anatomy.imports, ["parlor:room/outbox@0.1.0", "novel"]);
        assert_eq!(anatomy.exports, ["parlor:room/guest@0.1.0"]);
        assert!(anatomy.check_imports(&Imports::All).unwrap_err().contains("imports novel, which this host"));
        let few = Imports::only(&["wasi:io/*".to_owned()]).unwrap();
        assert!(anatomy.check_imports(&few).unwrap_err().contains("outbox@0.1.0, which its tenant is not granted"));
    }

    #[test]
    fn what_exports_no_contract_is_no_plugin() {
        let check = |wat| of(wat).check(&Imports::All, &Limits::default());
        assert!(check("(component)").unwrap_err().contains(CONTRACT));
        let newer = check(r#"(component (instance $i) (export "parlor:room/guest@0.2.0" (instance $i)))"#).unwrap_err();
        assert!(newer.contains("exports the contract parlor:room/guest@0.2.0; this host serves"), "{newer}");
        assert!(check(r#"(component (instance $i) (export "parlor:room/guest@0.1.0" (instance $i)))"#).is_ok());
    }

    #[test]
    fn each_bound_is_named_with_its_number() {
        let limits = Limits {
            core_instances_per_component: 1,
            memories_per_component: 1,
            tables_per_component: 1,
            memory_bytes: 10,
            table_elements: 5,
            ..Limits::default()
        };
        for (need, words) in [
            (
                PoolNeed { core_instances: 2, ..PoolNeed::default() },
                "2 core instances, more than core-instances-per-component",
            ),
            (
                PoolNeed { memories: 2, ..PoolNeed::default() },
                "2 memories, more than memories-per-component: at most 1",
            ),
            (PoolNeed { tables: 3, ..PoolNeed::default() }, "3 tables, more than tables-per-component: at most 1"),
            (
                PoolNeed { memory_bytes: 11, ..PoolNeed::default() },
                "11 bytes of memory, more than memory-bytes: at most 10",
            ),
            (PoolNeed { table_elements: 6, ..PoolNeed::default() }, "6 elements, more than table-elements: at most 5"),
        ] {
            assert!(need.check(&limits).unwrap_err().contains(words), "{words}");
        }
    }

    #[test]
    fn what_is_cut_off_is_told_in_one_line() {
        let bytes = wat::parse_str("(component (core module))").unwrap();
        let why = Anatomy::of(&bytes[..bytes.len() - 3]).unwrap_err();
        assert!(!why.contains('\n') && !why.is_empty(), "{why}");
    }
}
