//! Reads a printed PDF back: every piece of text with its place, font and size.
#![allow(dead_code, reason = "two test binaries share this file and use different parts of it")]

use std::collections::BTreeMap;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Object, ObjectId};

/// One showing of text.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Left end, mm from the left edge of the paper.
    pub(crate) x: f32,
    /// Right end, mm.
    pub(crate) right: f32,
    /// Baseline, mm from the top edge.
    pub(crate) y: f32,
    /// Points.
    pub(crate) size: f32,
    /// From left to right as it stands, so Arabic comes back turned.
    pub(crate) text: String,
}

/// One page.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadPage {
    pub(crate) shown: Vec<Shown>,
    /// How many outlines were drawn with curves: the rings around codes.
    pub(crate) rings: usize,
    /// Bytes of drawing, as stored.
    pub(crate) stored: usize,
}

/// One font in the file.
#[derive(Debug, Clone)]
pub(crate) struct ReadFont {
    pub(crate) name: String,
    pub(crate) embedded: bool,
}

struct Face {
    text: BTreeMap<u16, String>,
    widths: BTreeMap<u16, f32>,
}

const MM: f32 = 25.4 / 72.0;

impl ReadPage {
    /// Returns all text of the page, pieces apart.
    pub(crate) fn text(&self) -> String {
        self.shown.iter().map(|shown| shown.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Whether this is the front of a sheet of a chart.
    pub(crate) fn is_front(&self) -> bool {
        self.shown.iter().any(|shown| shown.text == "Medicines administration record (MAR)")
    }
}

/// Returns the pages of a file.
pub(crate) fn pages(bytes: &[u8]) -> Vec<ReadPage> {
    let file = Document::load_mem(bytes).unwrap();
    file.get_pages().into_values().map(|id| page(&file, id)).collect()
}

/// Returns the fonts of a file.
pub(crate) fn fonts(bytes: &[u8]) -> Vec<ReadFont> {
    let file = Document::load_mem(bytes).unwrap();
    let descriptors = file.objects.values().filter_map(|object| object.as_dict().ok());
    descriptors
        .filter(|d| d.get(b"Type").and_then(Object::as_name).is_ok_and(|n| n == b"FontDescriptor"))
        .map(|d| ReadFont {
            name: String::from_utf8_lossy(d.get(b"FontName").unwrap().as_name().unwrap()).into(),
            embedded: d.get(b"FontFile2").is_ok(),
        })
        .collect()
}

fn page(file: &Document, id: ObjectId) -> ReadPage {
    let mut read = ReadPage::default();
    let faces: BTreeMap<Vec<u8>, Face> = file
        .get_page_fonts(id)
        .unwrap()
        .into_iter()
        .map(|(name, font)| (name, face(file, font)))
        .collect();
    for stream in file.get_page_contents(id) {
        read.stored += file.get_object(stream).unwrap().as_stream().unwrap().content.len();
    }
    let content = Content::decode(&file.get_page_content(id)).unwrap();
    let mut font: Option<(&Face, f32)> = None;
    let (mut x, mut y) = (0.0, 0.0);
    let mut curved = false;
    for operation in content.operations {
        let number = |n: usize| operation.operands[n].as_float().unwrap();
        match operation.operator.as_str() {
            "Tf" => {
                let name = operation.operands[0].as_name().unwrap();
                font = Some((&faces[name], number(1)));
            }
            "Tm" => (x, y) = (number(4) * MM, 210.0 - number(5) * MM),
            "TJ" => {
                let (face, size) = font.unwrap();
                let items = operation.operands[0].as_array().unwrap();
                let (text, width) = show(face, items);
                let right = x + width * size * MM;
                read.shown.push(Shown { x, right, y, size, text });
            }
            "c" => curved = true,
            "S" => read.rings += usize::from(std::mem::take(&mut curved)),
            _ => {}
        }
    }
    read
}

fn show(face: &Face, items: &[Object]) -> (String, f32) {
    let mut text = String::new();
    let mut width = 0.0;
    for item in items {
        match item {
            Object::String(bytes, _) => {
                for code in bytes.chunks(2) {
                    let code = u16::from_be_bytes([code[0], code[1]]);
                    text.push_str(face.text.get(&code).map_or("", String::as_str));
                    width += face.widths.get(&code).copied().unwrap_or(0.0) / 1000.0;
                }
            }
            other => width -= other.as_float().unwrap() / 1000.0,
        }
    }
    (text, width)
}

fn face(file: &Document, font: &Dictionary) -> Face {
    let descendant = &font.get(b"DescendantFonts").unwrap().as_array().unwrap()[0];
    let mut widths = BTreeMap::new();
    let listed = descendant.as_dict().unwrap().get(b"W").unwrap().as_array().unwrap();
    for pair in listed.chunks(2) {
        let first = u16::try_from(pair[0].as_i64().unwrap()).unwrap();
        for (code, width) in (first..).zip(pair[1].as_array().unwrap()) {
            widths.insert(code, width.as_float().unwrap());
        }
    }
    let stream = font.get(b"ToUnicode").unwrap().as_reference().unwrap();
    let stream = file.get_object(stream).unwrap().as_stream().unwrap();
    let map = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
    let mut text = BTreeMap::new();
    for line in String::from_utf8(map).unwrap().lines() {
        let mut parts = line.split(['<', '>', ' ']).filter(|part| !part.is_empty());
        let (Some(code), Some(units), None) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let Ok(code) = u16::from_str_radix(code, 16) else { continue };
        let units: Vec<u16> = (0..units.len() / 4)
            .filter_map(|n| u16::from_str_radix(&units[n * 4..n * 4 + 4], 16).ok())
            .collect();
        text.insert(code, String::from_utf16(&units).unwrap());
    }
    Face { text, widths }
}
