//! The photograph box: the picture as it was taken, or the words that there is none.

use crate::dates::day_month_year;
use crate::page::{Area, BLACK, Picture};
use crate::press::{Align, Flow, Press};
use crate::sheet::Photograph;
use crate::text::Setting;

const CAPTION: Setting = Setting::regular(6.5);
const CAPTION_HEIGHT: f32 = 3.0;

/// Draws the box; the date taken stands in the lowest 3 mm.
pub(crate) fn draw(press: &mut Press<'_>, area: Area, photograph: &Photograph) {
    match photograph {
        Photograph::None => words(press, area, "no photograph"),
        Photograph::Jpeg { bytes, taken } => {
            let frame = Area::new(area.x, area.y, area.w, area.h - CAPTION_HEIGHT);
            match shape(bytes) {
                Some((pixels_wide, pixels_high, grey)) => {
                    let area = contained(frame, f32::from(pixels_wide), f32::from(pixels_high));
                    let jpeg = bytes.clone();
                    press.page().picture(Picture { jpeg, pixels_wide, pixels_high, grey, area });
                    press.page().frames(&[frame], 0.2, BLACK);
                }
                None => words(press, frame, "photograph cannot be printed"),
            }
            let caption = Area::new(area.x, frame.bottom(), area.w, CAPTION_HEIGHT);
            let taken = format!("taken {}", day_month_year(*taken));
            press.label(caption, Align::Centre, CAPTION, &taken);
        }
    }
}

fn words(press: &mut Press<'_>, area: Area, words: &str) {
    press.page().frames(&[area], 0.35, BLACK);
    let mut flow = Flow::new();
    flow.line(Setting::bold(9.0), words);
    let laid = flow.lay(press.typesetter, area.w - 2.0);
    press.flow((area.x + 1.0, area.y + (area.h - laid.height) / 2.0), &laid);
}

/// Returns the largest rectangle of the picture's shape inside `frame`, in its middle.
fn contained(frame: Area, wide: f32, high: f32) -> Area {
    let scale = (frame.w / wide).min(frame.h / high);
    let (w, h) = (wide * scale, high * scale);
    Area::new(frame.x + (frame.w - w) / 2.0, frame.y + (frame.h - h) / 2.0, w, h)
}

/// Returns width, height and whether it is grey of a JPEG, from its start-of-frame segment.
/// `None` for anything else, and for four-colour files, which cameras do not make.
fn shape(jpeg: &[u8]) -> Option<(u16, u16, bool)> {
    let mut rest = jpeg.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let [0xFF, kind, high, low, ..] = *rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        // C4, C8 and CC share the range of the frame headers and are none.
        if matches!(kind, 0xC0..=0xCF) && !matches!(kind, 0xC4 | 0xC8 | 0xCC) {
            let [8, h1, h2, w1, w2, channels, ..] = *segment else { return None };
            let (wide, tall) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
            let grey = match channels {
                1 => true,
                3 => false,
                _ => return None,
            };
            return (wide > 0 && tall > 0).then_some((wide, tall, grey));
        }
        rest = rest.get(2 + length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a 4 × 3 colour JPEG: start, one comment, the frame header.
    fn head(channels: u8) -> Vec<u8> {
        let mut jpeg = vec![0xFF, 0xD8, 0xFF, 0xFE, 0, 4, b'h', b'i'];
        jpeg.extend([0xFF, 0xC0, 0, 8, 8, 0, 3, 0, 4, channels]);
        jpeg
    }

    #[test]
    fn a_jpeg_tells_its_size_and_its_colours() {
        assert_eq!(shape(&head(3)), Some((4, 3, false)));
        assert_eq!(shape(&head(1)), Some((4, 3, true)));
    }

    #[test]
    fn what_is_no_jpeg_or_is_cut_short_has_no_shape() {
        assert_eq!(shape(b"GIF89a"), None);
        assert_eq!(shape(&head(4)), None);
        for length in 0..head(3).len() {
            assert_eq!(shape(&head(3)[..length]), None, "cut at {length}");
        }
    }
}
