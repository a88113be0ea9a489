//! How a notice's words are laid out: as Markdown, as plain text, on one line. A form never is longer than it
//! may be, is cut between characters only, and always ends in its link. What others wrote, such as titles,
//! cannot become marks, links or mentions.

use super::wording::Wording;

/// Stands where something was left out.
const CUT: &str = "…";
/// Least room worth beginning a line for, in bytes.
const LEAST: usize = 12;

/// Markdown of at most `limit` bytes, its lines ended by `newline`: group robots know few marks, and not all the same.
#[must_use]
pub fn markdown(wording: &Wording, limit: usize, newline: &str) -> String {
    let link = wording.link.replace('(', "%28").replace(')', "%29");
    let tail = format!(
        "{}{newline}[{}]({link})",
        wording.request, wording.link_title
    );
    let mut form = Form::new(limit, newline, &tail);
    form.line(
        &format!("**【{}】** ", wording.heading),
        &unmarked(&unlinked(&wording.title)),
    );
    for (label, fact) in &wording.facts {
        form.line(&format!("**{label}：**"), &unmarked(fact));
    }
    form.end(&tail)
}

/// Plain text of at most `limit` bytes.
#[must_use]
pub fn plain(wording: &Wording, limit: usize) -> String {
    let tail = format!("{}\n{}", wording.request, wording.link);
    let mut form = Form::new(limit, "\n", &tail);
    form.line(
        &format!("【{}】", wording.heading),
        &untagged(&unlinked(&wording.title)),
    );
    form.facts(wording);
    form.end(&tail)
}

/// The facts and what is asked for, without heading, title and link, in at most `limit` bytes: for a card that has
/// places of its own for these.
#[must_use]
pub fn card(wording: &Wording, limit: usize) -> String {
    let mut form = Form::new(limit, "\n", wording.request);
    form.line("", &untagged(&unlinked(&wording.title)));
    form.facts(wording);
    form.end(wording.request)
}

/// One line of at most `limit` bytes, for text messages to phones.
#[must_use]
pub fn short(wording: &Wording, limit: usize) -> String {
    let tail = format!(" {}", wording.link);
    let mut form = Form::new(limit, "", &tail);
    form.line(
        &format!("【{}】", wording.heading),
        &untagged(&unlinked(&wording.title)),
    );
    form.end(&tail)
}

/// The subject of a mail.
#[must_use]
pub fn subject(wording: &Wording) -> String {
    cut(&clean(&wording.subject()), 240)
}

/// A form as it grows: whole lines while they fit, the last of them cut.
struct Form<'a> {
    text: String,
    newline: &'a str,
    room: usize,
    full: bool,
}

impl<'a> Form<'a> {
    fn new(limit: usize, newline: &'a str, tail: &str) -> Self {
        Self {
            text: String::new(),
            newline,
            room: limit.saturating_sub(tail.len()),
            full: false,
        }
    }

    fn facts(&mut self, wording: &Wording) {
        for (label, fact) in &wording.facts {
            self.line(&format!("{label}："), &untagged(fact));
        }
    }

    fn line(&mut self, label: &str, value: &str) {
        let around = label.len() + self.newline.len();
        if self.full || self.room < around + LEAST {
            self.full = true;
            return;
        }
        let value = clean(value);
        let fits = cut(&value, self.room - around);
        self.full = fits.len() < value.len();
        self.room -= around + fits.len();
        self.text.push_str(label);
        self.text.push_str(&fits);
        self.text.push_str(self.newline);
    }

    fn end(mut self, tail: &str) -> String {
        self.text.push_str(tail);
        self.text
    }
}

/// A text of at most `limit` bytes, cut between characters.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(CUT.len());
    let kept = text
        .char_indices()
        .map(|(start, character)| start + character.len_utf8())
        .take_while(|end| *end <= room)
        .last()
        .unwrap_or(0);
    let mut text: String = text.get(..kept).unwrap_or_default().to_owned();
    text.push_str(CUT);
    text
}

/// One line without characters that are not seen: line breaks, controls, and those that turn the direction of writing.
fn clean(text: &str) -> String {
    let seen = text.chars().map(|character| match character {
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => ' ',
        other if other.is_control() => ' ',
        other => other,
    });
    let seen: String = seen.collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What strangers wrote, without addresses that apps would make links of.
fn unlinked(text: &str) -> String {
    text.replace("://", "：//")
}

/// A text in which no app finds a tag: a mention, a link, a colour.
fn untagged(text: &str) -> String {
    wide(text, "<>")
}

/// A text in which no app finds a mark of Markdown: each becomes its wide form, which Chinese text uses anyway.
fn unmarked(text: &str) -> String {
    wide(text, "<>[]()*_`~#|!\\@&")
}

fn wide(text: &str, marks: &str) -> String {
    text.chars()
        .map(|character| {
            if marks.contains(character) {
                // The wide forms of U+0021 to U+007E begin at U+FF01.
                char::from_u32(u32::from(character) + 0xFEE0).unwrap_or(character)
            } else {
                character
            }
        })
        .collect()
}
