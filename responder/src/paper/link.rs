//! Links while a wording is edited: the long addresses behind numbers stand as `#1`, `#2`, in the order of the generated text,
//! and are put back when it is kept.

use super::PaperError;

/// The addresses of the links of a generated text, each once.
fn addresses(generated: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (_, address) in links(generated) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// The links of a text: what stands between the brackets of each, and the address in it. Figures are none, nor is what is
/// escaped or has brackets of its own: those stay as they are.
fn links(text: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let figure = (before.rsplit_once('[')).is_some_and(|(lead, _)| lead.ends_with('!'));
        let link = match after.strip_prefix('<') {
            Some(long) => (long.split_once('>'))
                .filter(|(_, tail)| tail.starts_with(')'))
                .map(|(address, _)| (format!("<{address}>"), address)),
            None => (after.split_once(')')).map(|(address, _)| (address.to_owned(), address)),
        };
        let odd = |letter: char| letter.is_whitespace() || matches!(letter, '(' | '<' | '\\');
        found.extend(link.filter(|(_, address)| !figure && !address.contains(odd)));
        rest = after;
    }
    found
}

/// A text with the addresses of the generated one as `#1`, `#2`.
#[must_use]
pub fn shortened(text: &str, generated: &str) -> String {
    let addresses = addresses(generated);
    replaced(text, |address| {
        let place = addresses.iter().position(|known| *known == address)?;
        Some(format!("#{}", place + 1))
    })
}

/// A text with its addresses put back.
///
/// # Errors
/// Names the line of a `#` that there is not.
pub fn whole(text: &str, generated: &str) -> Result<String, PaperError> {
    let addresses = addresses(generated);
    let number = |address: &str| address.strip_prefix('#')?.parse::<usize>().ok();
    let known = |number: usize| addresses.get(number.checked_sub(1)?).copied();
    for (line, written) in text.lines().enumerate() {
        let numbers = links(written)
            .into_iter()
            .filter_map(|(_, address)| number(address));
        if let Some(unknown) = numbers.into_iter().find(|number| known(*number).is_none()) {
            return Err(PaperError::Wording(format!(
                "第{}行的链接 #{unknown} 不存在，现有 #1 至 #{}",
                line + 1,
                addresses.len()
            )));
        }
    }
    Ok(replaced(text, |address| {
        known(number(address)?).map(|address| format!("<{address}>"))
    }))
}

/// A text with some addresses replaced.
fn replaced(text: &str, other: impl Fn(&str) -> Option<String>) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    for (whole, address) in links(text) {
        let Some(new) = other(address) else {
            continue;
        };
        let mark = format!("]({whole})");
        if let Some((before, after)) = rest.split_once(&mark) {
            told.push_str(before);
            told.push_str("](");
            told.push_str(&new);
            told.push(')');
            rest = after;
        }
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATED: &str = "共[15](<https://a.example/posts?from=1&to=2>)帖，其中[3](<https://a.example/posts?x=%E5>)帖。\n\n\
         ![](chart:volume)\n\n又见[15](<https://a.example/posts?from=1&to=2>)。\n";

    #[test]
    fn long_addresses_are_short_while_one_edits_and_whole_again_after() {
        let short = shortened(GENERATED, GENERATED);
        assert_eq!(
            short,
            "共[15](#1)帖，其中[3](#2)帖。\n\n![](chart:volume)\n\n又见[15](#1)。\n"
        );
        assert_eq!(whole(&short, GENERATED).unwrap(), GENERATED);
        let edited = short.replace("共", "[县网](https://gov.example/)载，共");
        let kept = whole(&edited, GENERATED).unwrap();
        assert!(
            kept.starts_with(
                "[县网](https://gov.example/)载，共[15](<https://a.example/posts?from=1&to=2>)帖"
            ),
            "{kept}"
        );
        assert_eq!(shortened(&kept, GENERATED), edited);
    }

    #[test]
    fn a_link_that_there_is_not_is_named_with_its_line() {
        let problem = whole("一\n\n见[3](#9)\n", GENERATED)
            .unwrap_err()
            .to_string();
        assert!(
            problem.contains("第3行") && problem.contains("#9"),
            "{problem}"
        );
    }
}
