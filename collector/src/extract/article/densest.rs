//! The element of a page that holds its text, by its shape: where sentences are dense and links are few.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html, Node};

use super::words::{BESIDE, READ, REPLIES, SENTENCES, UNREAD, is_unread};
use crate::extract::page::{elements, names};
use crate::extract::text;

/// What words behind the heading of the replies count for.
const BEHIND: f64 = 0.2;
/// Nodes and bytes of an element's own words that are counted: elements within each other would each be read to their
/// end otherwise.
const OWN_NODES: usize = 1_000;
const OWN_BYTES: usize = 30_000;
/// Elements that are looked at closely.
const BEST: usize = 10;

/// The element in which sentences are densest.
pub(super) fn densest(html: &Html) -> Option<ElementRef<'_>> {
    let mut scores: HashMap<NodeId, f64> = HashMap::new();
    let mut order = Vec::new();
    let mut share_here = 1.0;
    let mut waiting = vec![html.root_element()];
    while let Some(element) = waiting.pop() {
        if is_unread(element) {
            continue;
        }
        let children: Vec<_> = element.children().filter_map(ElementRef::wrap).collect();
        waiting.extend(children.iter().rev());
        let own = own_text(element);
        let length = own.chars().count();
        if length < 30 && REPLIES.is_match(&own) {
            share_here = BEHIND;
        }
        if length < 8 {
            continue;
        }
        let sentences = SENTENCES.find_iter(&own).count();
        if (sentences == 0 && length < 20) || BESIDE.is_match(&own) {
            continue;
        }
        #[allow(clippy::cast_precision_loss, reason = "a page's length")]
        let score = 1.0 + sentences as f64 + (length as f64 / 25.0).min(12.0);
        let holds = !matches!(
            element.value().name(),
            "p" | "li" | "dd" | "blockquote" | "pre" | "font" | "span" | "b" | "strong"
        );
        let ancestors = std::iter::once(element)
            .filter(|_| holds)
            .chain(element.ancestors().filter_map(ElementRef::wrap));
        for (ancestor, share) in ancestors.zip([1.0, 0.5, 0.2]) {
            let entry = scores.entry(ancestor.id()).or_insert_with(|| {
                order.push(ancestor);
                0.0
            });
            *entry += score * share * share_here;
        }
    }
    let mut order: Vec<(ElementRef<'_>, f64)> = order
        .into_iter()
        .map(|element| {
            let score = scores.get(&element.id()).copied().unwrap_or_default();
            (element, score * weight(element))
        })
        .collect();
    // Stable, so that of two alike the first on the page is taken.
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    order.truncate(BEST);
    let best = order
        .into_iter()
        .map(|(element, score)| (element, score * (1.0 - link_share(element))))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some(first_of_its_kind(html, best.0))
}

/// A thread has many posts of one kind: the first is the one that it is about.
fn first_of_its_kind<'a>(html: &'a Html, best: ElementRef<'a>) -> ElementRef<'a> {
    let Some(class) = best
        .value()
        .attr("class")
        .filter(|class| !class.trim().is_empty())
    else {
        return best;
    };
    elements(html.root_element())
        .find(|element| {
            element.value().name() == best.value().name()
                && element.value().attr("class") == Some(class)
                && text::of_element(*element).chars().count() >= 2
        })
        .unwrap_or(best)
}

/// What the name of an element makes of the words in it.
fn weight(element: ElementRef<'_>) -> f64 {
    let names = names(element);
    let mut weight = match element.value().name() {
        "body" | "html" => 0.3,
        _ => 1.0,
    };
    if READ.is_match(&names) {
        weight *= 1.4;
    }
    if UNREAD.is_match(&names) {
        weight *= 0.6;
    }
    weight
}

/// The words directly in an element, or in what is in line with them; not those of links.
fn own_text(element: ElementRef<'_>) -> String {
    let mut own = String::new();
    for child in element.children() {
        if own.len() > OWN_BYTES {
            break;
        }
        match child.value() {
            Node::Text(words) => own.extend(words.trim().chars().take(OWN_BYTES)),
            Node::Element(inner)
                if matches!(
                    inner.name(),
                    "b" | "strong" | "span" | "font" | "em" | "i" | "u" | "o:p"
                ) =>
            {
                for words in child.descendants().take(OWN_NODES) {
                    if let Node::Text(words) = words.value() {
                        own.extend(words.trim().chars().take(OWN_BYTES));
                    }
                }
            }
            _ => {}
        }
    }
    own
}

/// How much of what an element says is said by links.
fn link_share(element: ElementRef<'_>) -> f64 {
    let (mut linked, mut all) = (0_usize, 0_usize);
    let mut waiting = vec![(*element, false)];
    while let Some((node, is_linked)) = waiting.pop() {
        let is_linked = match node.value() {
            Node::Text(words) => {
                let length = words.trim().chars().count();
                all += length;
                linked += if is_linked { length } else { 0 };
                continue;
            }
            Node::Element(inner) => is_linked || inner.name() == "a",
            _ => is_linked,
        };
        waiting.extend(node.children().map(|child| (child, is_linked)));
    }
    #[allow(clippy::cast_precision_loss, reason = "a page's length")]
    let share = linked as f64 / all.max(1) as f64;
    share
}
