//! What a password must be. Long beats odd: there is no rule about kinds of characters.

use super::AccountError;

/// Fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 10;
/// Most characters of a password.
pub const LONGEST_PASSWORD: usize = 200;
/// Fewest different characters of a password.
const FEWEST_DIFFERENT: usize = 5;
/// Names shorter than this are in too many words.
const SHORTEST_NAME: usize = 3;

/// Passwords that are tried first everywhere, without what people put around them.
const COMMON: &str = include_str!("common_passwords.txt");

/// Whether an account of that name may take a password. What it had before is for the store to know.
pub(super) fn check(name: &str, password: &str) -> Result<(), AccountError> {
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
        return Err(AccountError::Password);
    }
    let lower = password.to_lowercase();
    let name = name.to_lowercase();
    if name.len() >= SHORTEST_NAME && lower.contains(&name) {
        return Err(AccountError::PasswordOfName);
    }
    if common(&lower) {
        return Err(AccountError::PasswordCommon);
    }
    Ok(())
}

/// Whether it is few characters, a run along the keyboard, or a common password with digits and signs around it.
fn common(lower: &str) -> bool {
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return true;
    }
    let letters: String = (lower.chars())
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let rows = [
        "12345678901234567890",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnm",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    ];
    let backwards: String = letters.chars().rev().collect();
    if (rows.iter()).any(|row| row.contains(&letters) || row.contains(&backwards)) {
        return true;
    }
    let digits = |letter: char| letter.is_ascii_digit();
    let core = letters.trim_matches(digits);
    COMMON
        .lines()
        .any(|known| known == letters || known == core)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_good_and_what_is_tried_first_is_not() {
        for (password, good) in [
            ("a password for tests", true),
            ("早上八点到办公室泡杯绿茶", true),
            ("correct horse battery", true),
            ("short", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("1234567890", false),
            ("9876543210", false),
            ("QwertyUiop", false),
            ("1qaz2wsx3edc", false),
            ("Password2026!", false),
            ("woaini1314520", false),
            ("admin@123456", false),
            ("zhang.san-2026", false),
        ] {
            assert_eq!(check("zhang.san", password).is_ok(), good, "{password}");
        }
        assert!(check("zhang", &"好".repeat(201)).is_err());
    }

    #[test]
    fn the_list_is_in_the_form_it_is_searched_in() {
        for known in COMMON.lines() {
            assert!(!known.is_empty() && known.chars().all(char::is_alphanumeric));
            assert_eq!(known, known.to_lowercase());
        }
    }
}
