//! What counts as working time, and when things are due: days at an office before and after holidays.

use std::path::PathBuf;

use backbone::region::Hours;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use responder::calendar::{Calendar, Settings as CalendarSettings};
use responder::deadline::Deadlines;
use responder::settings::Settings;

use crate::ground::{at, calendar, project};

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn the_years_hold_what_the_notices_say() {
    let calendar = calendar();
    let off = |year: i16| {
        let day = |day: &Date| day.year() == year;
        let all = date(year, 1, 1).series(jiff::Span::new().days(1));
        let days: Vec<Date> = all.take_while(day).collect();
        (
            days.iter()
                .filter(|day| calendar.holiday(**day).is_some())
                .count(),
            days.iter().filter(|day| calendar.is_make_up(**day)).count(),
            days.iter().filter(|day| calendar.is_workday(**day)).count(),
        )
    };
    // Days off, days of a weekend worked, workdays of the year.
    assert_eq!(off(2024), (28, 8, 251));
    assert_eq!(off(2025), (28, 5, 248));
    assert_eq!(off(2026), (33, 6, 248));
    // 2027 has no notice: only the thirteen statutory days.
    assert_eq!(off(2027).0, 13);
    assert_eq!(calendar.official_until(), Some(date(2026, 12, 31)));
}

#[test]
fn a_make_up_saturday_is_worked_and_the_holiday_before_it_is_not() {
    let calendar = calendar();
    assert_eq!(calendar.holiday(date(2026, 10, 7)), Some("国庆节"));
    assert!(!calendar.is_workday(date(2026, 10, 7)));
    assert!(calendar.is_workday(date(2026, 10, 10)));
    assert!(!calendar.is_workday(date(2026, 10, 11)));
    assert!(calendar.is_working(at("2026-10-10 09:00")));
    assert!(!calendar.is_working(at("2026-10-10 12:00")), "lunch");
    assert!(!calendar.is_working(at("2026-10-07 09:00")));
}

#[test]
fn a_year_without_data_has_only_weekends() {
    let calendar = calendar();
    assert!(!calendar.is_workday(date(2031, 10, 4)));
    assert!(calendar.is_workday(date(2031, 10, 1)));
}

#[test]
fn four_working_hours_given_on_the_eve_of_a_holiday_end_after_it() {
    let calendar = calendar();
    // One hour is left of 30 September; the seven days off pass; three hours of 8 October are due.
    let due = calendar.add(at("2026-09-30 16:30"), hours(4));
    assert_eq!(due, at("2026-10-08 11:30"));
    assert_eq!(calendar.between(at("2026-09-30 16:30"), due), hours(4));
    // What is due when the office closes is due then, not the next morning.
    let closing = calendar.add(at("2026-11-26 16:30"), hours(1));
    assert_eq!(closing, at("2026-11-26 17:30"));
    // Given at night or at lunch the time runs from when people are back.
    assert_eq!(
        calendar.add(at("2026-11-26 23:00"), hours(1)),
        at("2026-11-27 09:30")
    );
    assert_eq!(
        calendar.add(at("2026-11-26 13:00"), hours(1)),
        at("2026-11-26 15:30")
    );
    assert_eq!(
        calendar.between(at("2026-11-27 17:30"), at("2026-11-30 08:30")),
        SignedDuration::ZERO
    );
    assert_eq!(
        calendar.between(at("2026-11-30 08:30"), at("2026-11-27 08:30")),
        SignedDuration::ZERO
    );
}

#[test]
fn a_unit_works_by_its_own_hours() {
    let night: Hours = "00:00-08:00,20:00-24:00".parse().unwrap();
    let calendar = calendar().with_hours(&night);
    assert_eq!(
        calendar.add(at("2026-11-26 08:30"), hours(5)),
        at("2026-11-27 01:00")
    );
}

#[test]
fn workdays_are_counted_without_the_first_and_end_with_the_work() {
    let calendar = calendar();
    // Thursday; the notice puts work on the Saturday after the holiday.
    assert_eq!(
        calendar.add_workdays(at("2026-10-08 15:00"), 2),
        at("2026-10-10 17:30")
    );
    assert_eq!(
        calendar.add_workdays(at("2026-10-03 15:00"), 1),
        at("2026-10-08 17:30")
    );
}

#[test]
fn the_statutory_deadlines_run_day_and_night() {
    let (deadlines, calendar) = (Deadlines::default(), calendar());
    let opened = at("2026-10-01 09:00");
    assert_eq!(
        deadlines.first_information(1, opened, &calendar),
        Some(at("2026-10-01 14:00"))
    );
    assert_eq!(deadlines.first_information(3, opened, &calendar), None);
    let answer = |level| deadlines.response(level, opened, &calendar);
    assert_eq!(answer(1), at("2026-10-02 09:00"));
    assert_eq!(answer(4), at("2026-10-03 09:00"));
    assert_eq!(
        deadlines.sign(1, opened, &calendar),
        at("2026-10-01 09:30"),
        "a grave matter waits for no holiday"
    );
    let past = at("2026-09-30 09:00");
    assert_eq!(
        deadlines.extended(4, past, opened, &calendar),
        at("2026-10-02 09:00"),
        "an extension given late counts from now"
    );
}

#[test]
fn review_and_follow_up_run_in_working_time() {
    let (deadlines, calendar) = (Deadlines::default(), calendar());
    let friday = at("2026-11-27 16:30");
    assert_eq!(
        deadlines.review(1, friday, &calendar),
        at("2026-11-27 17:30")
    );
    assert_eq!(
        deadlines.review(3, friday, &calendar),
        at("2026-11-30 11:30")
    );
    assert_eq!(
        deadlines.follow_up(4, friday, &calendar),
        at("2026-12-04 17:30")
    );
}

fn deadlines(text: &str) -> Result<Deadlines, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn deadlines_are_written_by_level_or_for_all_and_old_settings_are_read() {
    let calendar = calendar();
    let opened = at("2026-09-30 16:30");
    let old = deadlines(
        "sign_minutes = [15, 60, 120, 240]\nfirst_information_hours = [4, 5]\nresponse_hours = [24, 24, 48, 72]\nextension_hours = 12\n",
    )
    .unwrap();
    assert_eq!(old.sign(1, opened, &calendar), at("2026-09-30 16:45"));
    assert_eq!(
        old.first_information(1, opened, &calendar),
        Some(at("2026-09-30 20:30"))
    );
    assert_eq!(old.response(4, opened, &calendar), at("2026-10-03 16:30"));
    assert_eq!(
        old.extended(2, opened, opened, &calendar),
        at("2026-10-01 04:30")
    );
    let new =
        deadlines("sign = { hours = 2, time = \"working\" }\nresponse = { days = 2 }\n").unwrap();
    assert_eq!(new.sign(4, opened, &calendar), at("2026-10-08 09:30"));
    assert_eq!(new.response(1, opened, &calendar), at("2026-10-02 16:30"));
    // What is written is read again as the same.
    let written = toml::to_string(&new).unwrap();
    let again = deadlines(&written).unwrap();
    assert_eq!((again.sign, again.follow_up), (new.sign, new.follow_up));
}

#[test]
fn a_deadline_that_is_none_is_refused() {
    for (text, expected) in [
        ("sign = [30, 60]", "or 4 of them, not 2"),
        (
            "first_information = [5, 5, 5]",
            "one term for all levels or 2",
        ),
        ("sign = { hours = 1, minutes = 30 }", "one of minutes"),
        ("sign = {}", "one of minutes"),
        ("sign = 0", "one of minutes"),
        ("sign = { weeks = 1 }", "unknown field `weeks`"),
        (
            "sign = { hours = 1, time = \"office\" }",
            "unknown variant `office`",
        ),
        ("sign = \"soon\"", "write such as"),
        ("reply = 3", "unknown field `reply`"),
    ] {
        let said = deadlines(text).unwrap_err();
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn the_settings_that_ship_are_the_defaults() {
    let settings = Settings::load(&project().join("deploy/config/responder.toml")).unwrap();
    let (shipped, default) = (&settings.deadlines, Deadlines::default());
    for (one, other) in [
        (&shipped.sign, &default.sign),
        (&shipped.first_information, &default.first_information),
        (&shipped.response, &default.response),
        (&shipped.extension, &default.extension),
        (&shipped.review, &default.review),
        (&shipped.follow_up, &default.follow_up),
    ] {
        assert_eq!(one, other);
    }
    Calendar::load(&settings.calendar).unwrap();
}

#[test]
fn a_missing_file_of_holidays_is_told_of_by_its_setting() {
    let settings = CalendarSettings {
        holidays: PathBuf::from("/nowhere/holidays.toml"),
        ..CalendarSettings::default()
    };
    let said = Calendar::load(&settings).unwrap_err().to_string();
    assert!(
        said.contains("/nowhere/holidays.toml") && said.contains("`calendar.holidays`"),
        "{said}"
    );
}

#[test]
fn a_mistake_in_the_holidays_is_named_with_file_day_and_remedy() {
    let year = "[[year]]\nyear = 2028\nsource = \"x\"\n";
    let of = |name: &str, from: &str, to: &str| {
        format!(
            "[[year.holidays]]\nname = \"{name}\"\nfrom = \"2028-{from}\"\nto = \"2028-{to}\"\n"
        )
    };
    for (text, expected) in [
        (
            format!("{year}holidays = []\ncolour = 1\n"),
            "unknown field `colour`",
        ),
        (
            format!("{}holidays = []\n", year.replace("\"x\"", "\"\"")),
            "year 2028 has no `source`",
        ),
        (
            format!("{year}holidays = []\n{year}holidays = []\n"),
            "year 2028 is listed twice",
        ),
        (
            format!("{year}{}", of("元旦", "01-03", "01-01")),
            "ends on 2028-01-01, before it begins",
        ),
        (
            format!(
                "{year}{}{}",
                of("a", "05-01", "05-03"),
                of("b", "05-03", "05-04")
            ),
            "2028-05-03 is listed as a holiday twice",
        ),
        (
            format!(
                "{year}workdays = [\"2028-05-02\"]\n{}",
                of("a", "05-01", "05-03")
            ),
            "2028-05-02 is a holiday and a workday",
        ),
        (
            format!("{year}holidays = []\nworkdays = [\"2029-05-02\"]\n"),
            "2029-05-02 is not of that year",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("holidays.toml");
        std::fs::write(&file, &text).unwrap();
        let settings = CalendarSettings {
            holidays: file,
            ..CalendarSettings::default()
        };
        let said = Calendar::load(&settings).unwrap_err().to_string();
        assert!(
            said.contains("holidays.toml") && said.contains(expected),
            "{said}"
        );
    }
}
