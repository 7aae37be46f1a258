//! The catalogues' own descriptions of their entries, which a knowledge base does not keep.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use quick_xml::events::BytesStart;

use super::error::FolderError;
use super::file::{CAPEC_WANTED, CWE_WANTED, each_answer, parse_file, parse_stix};
use super::{CatalogueFiles, technique_descriptions};
use crate::cwe::WeaknessProse;
use crate::error::ParseError;
use crate::ids::{CapecId, CweId, TechniqueId};
use crate::json::JsonObject;
use crate::sniff::{Form, sniff};
use crate::stix::{ExternalReference, for_each_object};
use crate::xml::{self, ENTRY_DEPTH, Elements, number};

/// The descriptions of weaknesses, patterns and techniques.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogueDescriptions {
    /// Those of weaknesses.
    pub cwe: BTreeMap<CweId, String>,
    /// Those of patterns.
    pub capec: BTreeMap<CapecId, String>,
    /// Those of techniques.
    pub attack: BTreeMap<TechniqueId, String>,
}

impl CatalogueFiles {
    /// Reads the descriptions that the files have; entries without one are left out.
    ///
    /// # Errors
    /// A file cannot be read, or is not the catalogue that it should be.
    pub fn descriptions(&self) -> Result<CatalogueDescriptions, FolderError> {
        let mut descriptions = CatalogueDescriptions::default();
        for path in self.cwe_categories.iter().chain(&self.cwe) {
            descriptions.cwe.extend(of_cwe(path)?);
        }
        for path in &self.capec {
            let (patterns, _) = parse_stix(path, CAPEC_WANTED, of_capec)?;
            descriptions.capec.extend(patterns);
        }
        // An object that several bundles share is taken from the first.
        for path in self.attack.iter().rev() {
            descriptions.attack.extend(technique_descriptions(path)?);
        }
        Ok(descriptions)
    }
}

fn of_cwe(path: &Path) -> Result<BTreeMap<CweId, String>, FolderError> {
    let mut found = BTreeMap::new();
    // A document that cannot be read has no description; the knowledge base says what is wrong with it.
    let is_read = each_answer(path, |name, bytes| {
        let prose = WeaknessProse::parse(bytes, name).ok().flatten();
        found.extend(prose.map(|prose| (prose.id, prose.description)));
    })?;
    if is_read {
        return Ok(found);
    }
    let numbers = parse_file(path, CWE_WANTED, |reader, name| of_xml::<OfCwe>(reader, name))?.into_iter();
    Ok(numbers.map(|(number, text)| (CweId(number), text)).collect())
}

fn of_capec(mut reader: &mut dyn BufRead, file: &str) -> Result<BTreeMap<CapecId, String>, ParseError> {
    if sniff(&mut reader).map_err(ParseError::read(file))?.0 == Form::Xml {
        let numbers = of_xml::<OfCapec>(reader, file)?.into_iter();
        return Ok(numbers.map(|(number, text)| (CapecId(number), text)).collect());
    }
    let mut found = BTreeMap::new();
    for_each_object(reader, file, OfCapec::EXPECTED, |_, object| {
        found.extend(object.as_ref().and_then(of_object));
    })?;
    Ok(found)
}

fn of_object(object: &JsonObject) -> Option<(CapecId, String)> {
    let references: Vec<ExternalReference> = object.optional("external_references").ok()??;
    let own = references.iter().find(|reference| reference.source_name == "capec")?.external_id.as_deref()?;
    Some((own.parse().ok()?, object.optional("description").ok()??))
}

/// A catalogue in XML.
trait Catalogue {
    const ROOT: &'static str;
    const EXPECTED: &'static str;
    /// The element of an entry.
    const ENTRY: &'static str;
}

struct OfCwe;

impl Catalogue for OfCwe {
    const ROOT: &'static str = "Weakness_Catalog";
    const EXPECTED: &'static str = "a CWE catalogue";
    const ENTRY: &'static str = "Weakness";
}

struct OfCapec;

impl Catalogue for OfCapec {
    const ROOT: &'static str = "Attack_Pattern_Catalog";
    const EXPECTED: &'static str = "a CAPEC catalogue";
    const ENTRY: &'static str = "Attack_Pattern";
}

/// The descriptions of a catalogue in XML, by the numbers of their entries.
fn of_xml<C: Catalogue>(reader: &mut dyn BufRead, file: &str) -> Result<BTreeMap<u32, String>, ParseError> {
    let mut reading =
        Reading { catalogue: std::marker::PhantomData::<C>, found: BTreeMap::new(), id: None, text: None };
    xml::read(reader, file, &mut reading)?;
    Ok(reading.found)
}

struct Reading<C> {
    catalogue: std::marker::PhantomData<C>,
    found: BTreeMap<u32, String>,
    /// The number of the open entry.
    id: Option<u32>,
    /// The text of the open description.
    text: Option<String>,
}

/// The depth of a description: in an entry.
const DESCRIPTION_DEPTH: usize = ENTRY_DEPTH + 1;

impl<C: Catalogue> Elements for Reading<C> {
    const ROOT: &'static str = C::ROOT;
    const EXPECTED: &'static str = C::EXPECTED;

    fn root(&mut self, _: &BytesStart<'_>) {}

    fn start(&mut self, element: &BytesStart<'_>, depth: usize, _: u64) {
        match depth {
            ENTRY_DEPTH => {
                let is_entry = element.local_name().as_ref() == C::ENTRY;
                self.id = number(element, "ID").ok().filter(|_| is_entry);
            }
            DESCRIPTION_DEPTH if element.local_name().as_ref() == "Description" => {
                self.text = Some(String::new());
            }
            _ => {}
        }
    }

    fn end(&mut self, depth: usize, _: u64) {
        if depth == DESCRIPTION_DEPTH
            && let (Some(text), Some(id)) = (self.text.take(), self.id)
        {
            self.found.insert(id, text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(description) = &mut self.text {
            description.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_read_in_each_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
        file(
            "cwec_v4.18.xml",
            "<Weakness_Catalog Version=\"4.18\"><Weaknesses><Weakness ID=\"79\" Name=\"n\"><Description>It is\n bad &amp; \
             worse.</Description><Consequence><Description>not this</Description></Consequence></Weakness></Weaknesses>\
             <Categories><Category ID=\"2\"><Description>nor this</Description></Category></Categories></Weakness_Catalog>",
        );
        let capec = "{\"type\":\"bundle\",\"objects\":[{\"type\":\"attack-pattern\",\"description\":\"An attack.\",\
                     \"external_references\":[{\"source_name\":\"capec\",\"external_id\":\"CAPEC-63\"}]},{\"type\":\"identity\"}]}";
        file("stix-capec.json", capec);
        let (files, _) = CatalogueFiles::find(folder.path()).unwrap();
        let found = files.descriptions().unwrap();
        assert_eq!(found.cwe, BTreeMap::from([(CweId(79), "It is bad & worse.".to_owned())]));
        assert_eq!(found.capec, BTreeMap::from([(CapecId(63), "An attack.".to_owned())]));
        assert!(found.attack.is_empty());
    }
}
