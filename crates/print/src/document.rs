//! Pages in, PDF bytes out: fonts embedded as subsets, a reproducible file.
//!
//! printpdf writes the file. Three things it cannot say without its HTML engine are set through
//! lopdf, the library it writes with: the map from code to glyph (printpdf takes codes for glyph
//! ids, so one glyph could stand for one text only), the file's id (printpdf draws it at random,
//! and the same input must give the same bytes) and the PDF version.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::OnceLock;

use chrono::{Datelike, NaiveDateTime, Timelike};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Dictionary, Object, ObjectId, Stream, StringFormat};
use printpdf::{
    FontId, FontMetrics, FontType, Mm, ParsedFont, PdfDocument, PdfFont, PdfFontMetricsStub,
    PdfPage, PdfParseErrorSeverity, PdfSaveOptions, XObject, XObjectId,
};
use subsetter::GlyphRemapper;

use crate::fonts::{FACES, Glyph};
use crate::page::{Page, Picture};
use crate::{PAGE_HEIGHT, PAGE_WIDTH, PrintFault};

/// How hard streams are packed, 1 to 9: above this a page takes longer and gets no smaller.
const PACKING: u32 = 4;

/// What stands in the file's own description, beside the pages.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// Shown by a viewer as the window's title.
    pub(crate) title: String,
    /// When the print was made, UTC.
    pub(crate) made: NaiveDateTime,
    /// Becomes the file's id together with `made`.
    pub(crate) sheet_id: String,
}

/// The glyphs a document uses, each (glyph, text) pair under its own code, so that a dot that
/// serves two letters still gives each letter back when the text is copied or searched.
#[derive(Debug)]
pub(crate) struct Embedding {
    faces: Vec<FaceUse>,
    /// More different glyphs were asked for than a font can have codes.
    overfull: bool,
}

#[derive(Debug, Default)]
struct FaceUse {
    codes: BTreeMap<(u16, bool, Box<str>), u16>,
    /// Glyph id and advance (font units) by code; code 0 is the face's "no such character".
    glyphs: Vec<(u16, u16)>,
}

impl Embedding {
    /// Returns an embedding with no glyph in it.
    pub(crate) fn new() -> Self {
        let fresh = || FaceUse { codes: BTreeMap::new(), glyphs: vec![(0, 0)] };
        Self { faces: FACES.iter().map(|_| fresh()).collect(), overfull: false }
    }

    /// Returns the code under which a glyph, standing for its text, is shown.
    pub(crate) fn code(&mut self, glyph: &Glyph) -> u16 {
        let used = &mut self.faces[glyph.face];
        let key = (glyph.id, glyph.silent, glyph.text.clone());
        if let Some(code) = used.codes.get(&key) {
            return *code;
        }
        let Ok(code) = u16::try_from(used.glyphs.len()) else {
            self.overfull = true;
            return 0;
        };
        let advance = if glyph.silent { 0 } else { advance(glyph.face, glyph.id) };
        used.glyphs.push((glyph.id, advance));
        used.codes.insert(key, code);
        code
    }
}

/// Returns the name under which the pages select a face.
pub(crate) fn font_id(face: usize) -> FontId {
    FontId(format!("Face{face}"))
}

/// Returns the PDF file.
///
/// # Errors
/// `PrintFault::Font` when a face cannot be subset and `PrintFault::Written` when the PDF
/// library reports anything at all: a page with a letter missing is worse than no page.
pub(crate) fn write(
    about: &About,
    embedding: &Embedding,
    pages: Vec<Page>,
) -> Result<Vec<u8>, PrintFault> {
    if embedding.overfull {
        let what = "the texts use more than 65,535 different characters".to_owned();
        return Err(PrintFault::Written { what });
    }
    let mut document = PdfDocument::new(&about.title);
    let info = &mut document.metadata.info;
    info.creation_date = pdf_time(about.made)?;
    info.modification_date = info.creation_date;
    info.metadata_date = info.creation_date;
    info.creator = "Medround".to_owned();
    info.producer = "Medround".to_owned();
    info.identifier = about.sheet_id.clone();

    let mut maps = BTreeMap::new();
    for (face, used) in embedding.faces.iter().enumerate() {
        if used.glyphs.len() > 1 {
            let (font, map) = subset(face, used)?;
            document.resources.fonts.map.insert(font_id(face), PdfFont::new(font));
            maps.insert(face, map);
        }
    }
    for (number, page) in pages.into_iter().enumerate() {
        let (mut ops, pictures) = page.into_parts();
        for (index, picture) in pictures.into_iter().enumerate() {
            let id = XObjectId(format!("Picture{number}x{index}"));
            ops.extend(picture.ops(&id));
            document.resources.xobjects.map.insert(id, XObject::External(picture.into_xobject()));
        }
        document.pages.push(PdfPage::new(Mm(PAGE_WIDTH), Mm(PAGE_HEIGHT), ops));
    }

    let mut warnings = Vec::new();
    let mut file = document.to_lopdf_document(&PdfSaveOptions::default(), &mut warnings);
    if let Some(warning) = warnings.into_iter().find(|w| w.severity != PdfParseErrorSeverity::Info)
    {
        return Err(PrintFault::Written { what: warning.msg });
    }
    for (face, map) in maps {
        set_glyph_map(&mut file, FACES[face].name, map)?;
    }
    settle(&mut file, about);
    pack(&mut file)?;
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).map_err(|e| PrintFault::Written { what: e.to_string() })?;
    Ok(bytes)
}

/// Returns the face's used part as printpdf wants it, and its map from code to glyph.
fn subset(face: usize, used: &FaceUse) -> Result<(ParsedFont, Vec<u8>), PrintFault> {
    let name = FACES[face].name;
    let fault = |what: String| PrintFault::Font { face: name, what };
    let mut remapper = GlyphRemapper::new();
    let mut map = Vec::with_capacity(used.glyphs.len() * 2);
    for (glyph, _) in &used.glyphs {
        map.extend_from_slice(&remapper.remap(*glyph).to_be_bytes());
    }
    let bytes =
        subsetter::subset(FACES[face].bytes, 0, &remapper).map_err(|e| fault(e.to_string()))?;

    let whole = whole_face(face).ok_or_else(|| fault("not readable".to_owned()))?;
    let widths = used.glyphs.iter().zip(0u16..).map(|((_, advance), code)| (code, *advance));
    let font = ParsedFont {
        original_bytes: bytes,
        font_index: 0,
        font_name: Some(format!("{}+{name}", subset_tag(&map))),
        codepoint_to_glyph: BTreeMap::new(),
        glyph_widths: widths.collect(),
        units_per_em: whole.units_per_em,
        font_metrics: FontMetrics { ..whole.font_metrics.clone() },
        font_type: FontType::TrueType,
        pdf_font_metrics: PdfFontMetricsStub { ..whole.pdf_font_metrics.clone() },
    };
    Ok((font, map))
}

/// The whole face's widths and metrics, read once per process.
fn whole_face(face: usize) -> Option<&'static ParsedFont> {
    static WHOLE: [OnceLock<Option<ParsedFont>>; FACES.len()] =
        [const { OnceLock::new() }; FACES.len()];
    let read = || {
        let mut font = ParsedFont::from_bytes(FACES[face].bytes, 0, &mut Vec::new())?;
        font.original_bytes = Vec::new();
        Some(font)
    };
    WHOLE[face].get_or_init(read).as_ref()
}

/// Returns six capital letters that name this subset; the same glyphs give the same letters.
fn subset_tag(map: &[u8]) -> String {
    let mut hash = fnv(map);
    let mut tag = String::with_capacity(6);
    for _ in 0..6 {
        let letter = u8::try_from(hash % 26).expect("a remainder of 26 fits in a byte");
        tag.push(char::from(b'A' + letter));
        hash /= 26;
    }
    tag
}

/// FNV-1a, 64 bit: a name, not a secret.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Replaces printpdf's "code is glyph" in the font whose name ends in `name`.
fn set_glyph_map(
    file: &mut lopdf::Document,
    name: &'static str,
    map: Vec<u8>,
) -> Result<(), PrintFault> {
    let stream = file.add_object(Stream::new(Dictionary::new(), map));
    let font = file.objects.values_mut().find_map(|object| {
        let font = object.as_dict_mut().ok()?;
        let base = font.get(b"BaseFont").ok()?.as_name().ok()?;
        let ours = base.get(7..) == Some(name.as_bytes());
        let descendants = font.get_mut(b"DescendantFonts").ok()?.as_array_mut().ok()?;
        if ours { descendants.first_mut()?.as_dict_mut().ok() } else { None }
    });
    match font {
        Some(font) => {
            font.set("CIDToGIDMap", Object::Reference(stream));
            Ok(())
        }
        None => Err(PrintFault::Font { face: name, what: "not in the file".to_owned() }),
    }
}

/// Packs the streams that are not packed yet: the drawing of the pages and the maps of the fonts.
fn pack(file: &mut lopdf::Document) -> Result<(), PrintFault> {
    for object in file.objects.values_mut() {
        let Object::Stream(stream) = object else { continue };
        if stream.dict.has(b"Filter") {
            continue;
        }
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::new(PACKING));
        let packed = packer.write_all(&stream.content).and_then(|()| packer.finish());
        let packed = packed.map_err(|e| PrintFault::Written { what: e.to_string() })?;
        stream.dict.set("Filter", "FlateDecode");
        stream.set_content(packed);
    }
    Ok(())
}

/// Sets what must not differ between two prints of the same input.
fn settle(file: &mut lopdf::Document, about: &About) {
    file.version = "1.5".to_owned();
    let name = format!("{} {}", about.sheet_id, about.made);
    let id = format!("{:016x}{:016x}", fnv(name.as_bytes()), fnv(about.title.as_bytes()));
    let id = Object::String(id.into_bytes(), StringFormat::Literal);
    file.trailer.set("ID", Object::Array(vec![id.clone(), id]));
    if let Some(info) = info_id(file)
        && let Ok(Object::Dictionary(info)) = file.get_object_mut(info)
    {
        // printpdf claims a printing standard for every file; this one follows none.
        info.remove(b"GTS_PDFXVersion");
        info.remove(b"Trapped");
    }
}

fn info_id(file: &lopdf::Document) -> Option<ObjectId> {
    file.trailer.get(b"Info").ok()?.as_reference().ok()
}

fn pdf_time(made: NaiveDateTime) -> Result<printpdf::OffsetDateTime, PrintFault> {
    let fault = || PrintFault::Written { what: format!("the time {made} is out of range") };
    let small = |n: u32| u8::try_from(n).map_err(|_| fault());
    Ok(printpdf::OffsetDateTime::new_in_offset(
        printpdf::Date { year: made.year(), month: small(made.month())?, day: small(made.day())? },
        printpdf::Time {
            hour: small(made.hour())?,
            minute: small(made.minute())?,
            second: small(made.second())?,
            millisecond: 0,
        },
        printpdf::Offset { hours: 0, minutes: 0, seconds: 0, milliseconds: 0 },
    ))
}

impl Picture {
    /// Returns the picture as the PDF object that holds it, its bytes untouched.
    fn into_xobject(self) -> printpdf::ExternalXObject {
        use printpdf::DictItem::{Int, Name};
        let colours: &[u8] = if self.grey { b"DeviceGray" } else { b"DeviceRGB" };
        let entries = [
            ("Type", Name(b"XObject".to_vec())),
            ("Subtype", Name(b"Image".to_vec())),
            ("Width", Int(i64::from(self.pixels_wide))),
            ("Height", Int(i64::from(self.pixels_high))),
            ("ColorSpace", Name(colours.to_vec())),
            ("BitsPerComponent", Int(8)),
            ("Filter", Name(b"DCTDecode".to_vec())),
        ];
        printpdf::ExternalXObject {
            stream: printpdf::ExternalStream {
                dict: entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
                content: self.jpeg,
                compress: false,
            },
            width: None,
            height: None,
            dpi: None,
        }
    }
}

/// Returns the advance that the face itself gives a glyph, in font units.
fn advance(face: usize, glyph: u16) -> u16 {
    whole_face(face).and_then(|whole| whole.glyph_widths.get(&glyph).copied()).unwrap_or(0)
}

/// Returns the advance that a page gives a glyph, in em.
pub(crate) fn natural_width(glyph: &Glyph) -> f32 {
    match whole_face(glyph.face) {
        Some(whole) if !glyph.silent => {
            f32::from(advance(glyph.face, glyph.id)) / f32::from(whole.units_per_em)
        }
        Some(_) | None => 0.0,
    }
}

/// Whether the face has a glyph for the character.
pub(crate) fn has_glyph(face: usize, c: char) -> bool {
    whole_face(face).is_some_and(|whole| whole.lookup_glyph_index(u32::from(c)).is_some())
}

/// Returns the face's glyph for a space, which draws nothing.
pub(crate) fn space_glyph(face: usize) -> u16 {
    whole_face(face).and_then(|whole| whole.lookup_glyph_index(0x20)).unwrap_or(0)
}
