//! FHIR XML into the tree that FHIR JSON has.
//!
//! XML does not say which elements may repeat or which values are numbers; `shape` does.

mod shape;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use serde_json::{Map, Value};

use super::refused::{Place, Why};
use super::tree::{DEPTH_MAX, ELEMENTS_MAX, Fault};

const FHIR: &str = "http://hl7.org/fhir";
/// FHIR itself knows three attributes; the rest are declarations of namespaces.
const ATTRIBUTES_MAX: usize = 32;
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// An element that is open: what was read of it so far.
struct Open {
    name: String,
    /// The attribute `value`: the element is a primitive.
    value: Option<String>,
    is_resource: bool,
    body: Map<String, Value>,
}

enum Space {
    Fhir,
    Xhtml,
    Other(String),
}

/// Reads `text` and returns the root resource with the place where it begins.
pub(crate) fn read(text: &str) -> Result<(Value, Place), Fault> {
    let reader = NsReader::from_str(text);
    Reader { text, reader, stack: Vec::new(), root: None, root_from: 0, count: 0 }.run()
}

struct Reader<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    stack: Vec<Open>,
    root: Option<(Value, Place)>,
    root_from: usize,
    count: usize,
}

impl Reader<'_> {
    fn run(mut self) -> Result<(Value, Place), Fault> {
        loop {
            let from = self.offset();
            let (space, event) = match self.reader.read_resolved_event() {
                Ok((space, event)) => (named(&space), event),
                Err(fault) => {
                    let at = usize::try_from(self.reader.error_position()).unwrap_or(from);
                    return Err(self.malformed(at, fault.to_string()));
                }
            };
            match event {
                Event::Start(start) => self.open(from, &space, &start, true)?,
                Event::Empty(start) => self.open(from, &space, &start, false)?,
                Event::End(_) => self.close(from)?,
                Event::Text(text) => {
                    if !text.trim().is_empty() {
                        return Err(self.stray(from));
                    }
                }
                Event::CData(_) | Event::GeneralRef(_) => return Err(self.stray(from)),
                Event::DocType(_) => {
                    let what = "a document type declaration is not allowed in FHIR".to_owned();
                    return Err(self.malformed(from, what));
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        if let Some(open) = self.stack.last() {
            let what = format!("the file ends inside `{}`", open.name);
            return Err(self.malformed(self.text.len(), what));
        }
        let end = self.text.len();
        let nothing = self.malformed(end, "no element was found".to_owned());
        self.root.ok_or(nothing)
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }

    fn malformed(&self, at: usize, what: String) -> Fault {
        (Place::of_offset(self.text.as_bytes(), at), Why::Malformed { syntax: "XML", what })
    }

    fn stray(&self, at: usize) -> Fault {
        self.malformed(at, "text outside a `value` attribute".to_owned())
    }

    fn open(
        &mut self,
        from: usize,
        space: &Space,
        start: &BytesStart<'_>,
        has_body: bool,
    ) -> Result<(), Fault> {
        let name = start.local_name().as_ref().to_owned();
        let place = || Place::of_offset(self.text.as_bytes(), from);
        self.count += 1;
        if self.count > ELEMENTS_MAX {
            return Err((place(), Why::TooMany { limit: ELEMENTS_MAX }));
        }
        if self.stack.len() >= DEPTH_MAX {
            return Err((place(), Why::TooDeep { limit: DEPTH_MAX }));
        }
        if self.stack.is_empty() && self.root.is_some() {
            return Err(self.malformed(from, format!("a second root element `{name}`")));
        }
        match space {
            Space::Xhtml if name == "div" && !self.stack.is_empty() => {
                return self.narrative(from, start, has_body);
            }
            Space::Fhir => {}
            Space::Xhtml | Space::Other(_) => {
                let found = match space {
                    Space::Other(other) if !other.is_empty() => format!("`{name}` in `{other}`"),
                    Space::Fhir | Space::Xhtml | Space::Other(_) => {
                        format!("`{name}` outside that namespace")
                    }
                };
                let expected = "an element in the namespace http://hl7.org/fhir";
                return Err((place(), Why::NotFhir { expected, found }));
            }
        }
        if self.stack.is_empty() {
            self.root_from = from;
        }
        let is_resource = self.is_resource(&name);
        let mut open = Open { name, value: None, is_resource, body: Map::new() };
        if is_resource {
            let kind = Value::String(open.name.clone());
            open.body.insert("resourceType".to_owned(), kind);
        }
        for (i, attribute) in start.attributes().enumerate() {
            if i >= ATTRIBUTES_MAX {
                let what = format!("`{}` has more than {ATTRIBUTES_MAX} attributes", open.name);
                return Err(self.malformed(from, what));
            }
            let attribute = attribute.map_err(|fault| self.malformed(from, fault.to_string()))?;
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|fault| self.malformed(from, fault.to_string()))?
                .into_owned();
            match attribute.key.as_ref() {
                "value" => open.value = Some(value),
                name @ ("id" | "url") => {
                    open.body.insert(name.to_owned(), Value::String(value));
                }
                _ => {}
            }
        }
        self.stack.push(open);
        if has_body { Ok(()) } else { self.close(from) }
    }

    /// A resource is written as an element with a capital: the root, or the one inside
    /// `contained` or `resource`.
    fn is_resource(&self, name: &str) -> bool {
        let above = self.stack.last().map(|open| open.name.as_str());
        matches!(above, None | Some("contained" | "resource"))
            && name.starts_with(|c: char| c.is_ascii_uppercase())
    }

    /// Keeps the sender's narrative as the text it is in JSON.
    fn narrative(
        &mut self,
        from: usize,
        start: &BytesStart<'_>,
        has_body: bool,
    ) -> Result<(), Fault> {
        if has_body && let Err(fault) = self.reader.read_to_end(start.name()) {
            return Err(self.malformed(from, fault.to_string()));
        }
        let raw = self.text.get(from..self.offset()).unwrap_or_default().trim().to_owned();
        if let Some(parent) = self.stack.last_mut() {
            parent.body.insert("div".to_owned(), Value::String(raw));
        }
        Ok(())
    }

    fn close(&mut self, from: usize) -> Result<(), Fault> {
        let Some(open) = self.stack.pop() else {
            return Err(self.malformed(from, "an element is closed that was not open".to_owned()));
        };
        let Some(above) = self.stack.last_mut() else {
            let place = Place::of_offset(self.text.as_bytes(), self.root_from);
            self.root = Some((Value::Object(open.body), place));
            return Ok(());
        };
        if open.is_resource {
            // `<contained><Medication>` is `"contained": [{"resourceType": "Medication"}]`.
            if !above.body.is_empty() {
                let what = format!("a second resource inside one `{}`", above.name);
                return Err(self.malformed(from, what));
            }
            above.body = open.body;
            return Ok(());
        }
        let list = shape::is_list(&above.name, &open.name);
        match open.value {
            Some(text) => {
                let value = shape::primitive(&above.name, &open.name, text);
                let extra = (!open.body.is_empty()).then_some(Value::Object(open.body));
                add_primitive(&mut above.body, &open.name, value, extra, list);
            }
            None => add(&mut above.body, open.name, Value::Object(open.body), list),
        }
        Ok(())
    }
}

fn named(space: &ResolveResult<'_>) -> Space {
    match space {
        ResolveResult::Bound(bound) => match bound.as_ref() {
            FHIR => Space::Fhir,
            XHTML => Space::Xhtml,
            other => Space::Other(other.to_owned()),
        },
        ResolveResult::Unbound => Space::Other(String::new()),
        ResolveResult::Unknown(prefix) => Space::Other(format!("{prefix:?}")),
    }
}

fn add(body: &mut Map<String, Value>, name: String, value: Value, list: bool) {
    match body.get_mut(&name) {
        Some(Value::Array(values)) => values.push(value),
        Some(first) => {
            let values = vec![first.take(), value];
            *first = Value::Array(values);
        }
        None => {
            body.insert(name, if list { Value::Array(vec![value]) } else { value });
        }
    }
}

/// Adds a primitive; what hangs on it goes to `_name`, at the same index where it is a list.
fn add_primitive(
    body: &mut Map<String, Value>,
    name: &str,
    value: Value,
    extra: Option<Value>,
    list: bool,
) {
    add(body, name.to_owned(), value, list);
    let Some(extra) = extra else { return };
    let index = match body.get(name) {
        Some(Value::Array(values)) => values.len() - 1,
        Some(_) | None => {
            body.insert(format!("_{name}"), extra);
            return;
        }
    };
    let beside = body.entry(format!("_{name}")).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(values) = beside {
        values.resize(index, Value::Null);
        values.push(extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(xml: &str, json: &str) {
        let (tree, _) = read(xml).expect("reads");
        let expected: Value = serde_json::from_str(json).expect("json");
        assert_eq!(tree, expected);
    }

    #[test]
    fn a_patient_is_the_same_tree_as_in_json() {
        same(
            r#"<?xml version="1.0"?><!-- c --><Patient xmlns="http://hl7.org/fhir">
                <id value="p"/><active value="true"/>
                <name><family value="Kowalski"/><given value="Łukasz"/><given value="Jan">
                  <extension url="u"><valueString value="x &amp; y"/></extension></given></name>
                <birthDate value="1941-02-03"><extension url="t"><valueDateTime value="1941"/>
                  </extension></birthDate>
                <text><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></text>
            </Patient>"#,
            r#"{"resourceType": "Patient", "id": "p", "active": true,
                "name": [{"family": "Kowalski", "given": ["Łukasz", "Jan"],
                  "_given": [null, {"extension": [{"url": "u", "valueString": "x & y"}]}]}],
                "birthDate": "1941-02-03",
                "_birthDate": {"extension": [{"url": "t", "valueDateTime": "1941"}]},
                "text": {"div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>b</b></div>"}}"#,
        );
    }

    #[test]
    fn contained_and_bundled_resources_lose_their_wrapper() {
        same(
            r#"<Bundle xmlns="http://hl7.org/fhir"><entry><fullUrl value="urn:uuid:1"/><resource>
               <MedicationRequest><contained><Medication><id value="m"/></Medication></contained>
               <dosageInstruction><doseAndRate><doseQuantity><value value="2.5"/>
               </doseQuantity></doseAndRate></dosageInstruction></MedicationRequest>
               </resource></entry></Bundle>"#,
            r#"{"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource":
               {"resourceType": "MedicationRequest",
                "contained": [{"resourceType": "Medication", "id": "m"}],
                "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 2.5}}]}]}}]}"#,
        );
    }

    #[track_caller]
    fn refused(xml: &str, says: &str) {
        let (place, why) = read(xml).expect_err("refused");
        let said = format!("{place}: {why}");
        assert!(said.contains(says), "{said}");
    }

    #[test]
    fn what_is_no_fhir_xml_is_refused_with_its_place() {
        refused("<Patient/>", "line 1, column 1: expected an element in the namespace");
        refused("<a xmlns='urn:x'/>", "found `a` in `urn:x`");
        refused("<Patient xmlns='http://hl7.org/fhir'>\n <id value='1'>", "line 2");
        refused("<Patient xmlns='http://hl7.org/fhir'>words</Patient>", "text outside");
        let two = "<Patient xmlns='http://hl7.org/fhir'/>\n<Patient xmlns='http://hl7.org/fhir'/>";
        refused(two, "line 2, column 1: this XML cannot be read: a second root element");
        refused("<!DOCTYPE x [<!ENTITY a 'b'>]><Patient/>", "document type");
        refused("<Patient xmlns='http://hl7.org/fhir'><id value='&a;'/></Patient>", "line 1");
        refused("<!-- nothing -->", "no element");
    }
}
