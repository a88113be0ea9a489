//! The roster: read from files, shown, swapped, looked at for gaps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::ground::{at, calendar, project};
use crate::stores::{Kept, on_each_store};
use jiff::{SignedDuration, Timestamp};
use responder::roster::{self, FileError, Planned, Post, Roster, Shift, SwapError, gaps, read};
use responder::store::{Place, Store};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

const REGION: &str = "990101";

fn sample() -> PathBuf {
    project().join("deploy/sample/roster.csv")
}

/// When the sample's roster is issued.
fn issued() -> Timestamp {
    at("2026-12-20 10:00")
}

fn anyone() -> BTreeSet<String> {
    BTreeSet::new()
}

/// Reads a file of those bytes and name.
fn read_as(name: &str, bytes: &[u8], known: &BTreeSet<String>) -> Result<Vec<Planned>, FileError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    read(&file, known)
}

const HEADER: &str = "岗位,姓名,开始,结束";

fn csv(rows: &str) -> Result<Vec<Planned>, FileError> {
    read_as(
        "十月.csv",
        format!("{HEADER}\n{rows}").as_bytes(),
        &anyone(),
    )
}

#[test]
fn times_are_read_as_people_write_them() {
    let shifts = csv("值班员,叶知秋,2026/10/1 8:30,2026年10月1日 17:30\n\
         \n\
         duty-officer,沈望舒,2026-10-01T17:30:00,2026-10-01 24:00\n")
    .unwrap();
    assert_eq!(
        shifts,
        [
            Planned {
                post: Post::DutyOfficer,
                who: "叶知秋".to_owned(),
                from: at("2026-10-01 08:30"),
                until: at("2026-10-01 17:30"),
            },
            Planned {
                post: Post::DutyOfficer,
                who: "沈望舒".to_owned(),
                from: at("2026-10-01 17:30"),
                until: at("2026-10-02 00:00"),
            },
        ]
    );
}

#[test]
fn columns_are_found_by_their_names_and_others_are_left_alone() {
    let shifts = read_as(
        "roster.CSV",
        "\u{feff}备注,until,from,post,who\n早到,2026-10-01 17:30,2026-10-01 08:30,office-leader,顾怀民\n".as_bytes(),
        &anyone(),
    )
    .unwrap();
    assert_eq!(shifts[0].post, Post::OfficeLeader);
    assert_eq!(shifts[0].until, at("2026-10-01 17:30"));
}

#[test]
fn a_workbook_says_the_same_with_times_as_dates_or_as_text() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in HEADER.split(',').enumerate() {
        sheet
            .write(0, u16::try_from(column).unwrap(), name)
            .unwrap();
    }
    let date = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let time = |text: &str| ExcelDateTime::parse_from_str(text).unwrap();
    sheet.write(1, 0, "值班员").unwrap();
    sheet.write(1, 1, "叶知秋").unwrap();
    sheet
        .write_with_format(1, 2, time("2026-10-01T08:30:00"), &date)
        .unwrap();
    sheet
        .write_with_format(1, 3, time("2026-10-01T17:30:00"), &date)
        .unwrap();
    for (column, text) in ["值班员", "沈望舒", "2026-10-01 17:30", "2026-10-02 08:30"]
        .iter()
        .enumerate()
    {
        sheet
            .write(2, u16::try_from(column).unwrap(), *text)
            .unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let shifts = read_as("十月.xlsx", &bytes, &anyone()).unwrap();
    assert_eq!(
        shifts,
        csv("值班员,叶知秋,2026-10-01 08:30,2026-10-01 17:30\n值班员,沈望舒,2026-10-01 17:30,2026-10-02 08:30\n").unwrap()
    );
}

#[test]
fn every_wrong_row_is_named_with_file_row_column_and_remedy() {
    let said = csv("值班长,叶知秋,2026-10-01 08:30,2026-10-01 17:30\n\
         值班员,,2026-10-01,2026-10-01 17:30\n\
         值班员,沈望舒,2026-10-01 17:30,2026-10-01 08:30\n\
         值班员,许怀谷,2026-10-01 08:30,2027-10-01 08:30\n\
         值班员,陆听澜,2026-10-02 08:30,2026-10-02 17:30\n\
         值班员,陆听澜,2026-10-02 12:00,2026-10-02 20:00\n")
    .unwrap_err()
    .to_string();
    for line in [
        "十月.csv: row 2, column 岗位: `值班长` is no post; write 值班员, 带班领导, 分管领导",
        "十月.csv: row 3, column 姓名: no one is named",
        "十月.csv: row 3, column 开始: `2026-10-01` is no day and time; write such as 2026-10-01 08:30",
        "十月.csv: row 4, column 结束: the shift ends before it begins",
        "十月.csv: row 5, column 结束: the shift is longer than 31 days",
        "十月.csv: row 7, column 姓名: has this post at that time by row 6 already",
        "nothing was imported",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(said.lines().count(), 7, "{said}");
}

#[test]
fn a_file_that_is_no_roster_is_refused_with_the_remedy() {
    let good = format!("{HEADER}\n值班员,叶知秋,2026-10-01 08:30,2026-10-01 17:30\n");
    // 值班员 as GB18030 writes it.
    let gbk = [good.as_bytes(), &[0xd6, 0xb5, 0xb0, 0xe0, 0xd4, 0xb1]].concat();
    let names = BTreeSet::from(["沈望舒".to_owned()]);
    for (name, bytes, known, expected) in [
        (
            "roster.txt",
            good.as_bytes(),
            anyone(),
            "neither .csv nor .xlsx",
        ),
        (
            "roster.xlsx",
            good.as_bytes(),
            anyone(),
            "no Excel workbook",
        ),
        ("roster.csv", &gbk[..], anyone(), "CSV UTF-8"),
        (
            "roster.csv",
            b"",
            anyone(),
            "row 1, column 岗位: the header has no such column",
        ),
        (
            "roster.csv",
            HEADER.as_bytes(),
            anyone(),
            "row 2, column 岗位: there is no shift below the header",
        ),
        (
            "roster.csv",
            "岗位,姓名,开始\n".as_bytes(),
            anyone(),
            "row 1, column 结束: the header has no such column",
        ),
        (
            "roster.csv",
            good.as_bytes(),
            names,
            "row 2, column 姓名: `叶知秋` is no contact of the duty office",
        ),
    ] {
        let said = read_as(name, bytes, &known).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains(expected), "{said}");
    }
    let missing = read(Path::new("/nowhere/roster.csv"), &anyone()).unwrap_err();
    assert!(missing.to_string().contains("cannot be read"), "{missing}");
}

async fn names(roster: &Roster, now: &str) -> Vec<(Post, String)> {
    let shifts = roster.on_duty(REGION, at(now)).await.unwrap();
    shifts
        .into_iter()
        .map(|shift| (shift.post, shift.who))
        .collect()
}

fn on_duty(officer: &str, leader: &str) -> Vec<(Post, String)> {
    vec![
        (Post::DutyOfficer, officer.to_owned()),
        (Post::DutyLeader, leader.to_owned()),
        (Post::OfficeLeader, "顾怀民".to_owned()),
    ]
}

async fn who_is_on_duty_follows_the_roster_and_its_swaps(kept: Kept) {
    let roster = Roster::new(kept.store.clone());
    let shifts = read(&sample(), &anyone()).unwrap();
    let imported = roster
        .import(REGION, &shifts, false, issued())
        .await
        .unwrap();
    assert_eq!((imported.added, imported.known), (22, 0));
    assert_eq!(
        names(&roster, "2026-12-28 08:30").await,
        on_duty("叶知秋", "韩守正")
    );
    assert_eq!(
        names(&roster, "2026-12-28 17:30").await,
        on_duty("沈望舒", "韩守正")
    );
    assert_eq!(
        names(&roster, "2026-12-29 08:29").await,
        on_duty("沈望舒", "韩守正")
    );
    assert_eq!(names(&roster, "2027-01-04 08:30").await, []);
    assert!(
        roster
            .on_duty("360921", at("2026-12-28 09:00"))
            .await
            .unwrap()
            .is_empty()
    );

    let shifts = roster
        .between(REGION, at("2026-12-28 00:00"), at("2026-12-30 00:00"))
        .await
        .unwrap();
    let id = |post: Post, from: &str| -> String {
        let found = shifts
            .iter()
            .find(|shift| shift.post == post && shift.from == at(from));
        found.unwrap().id.clone()
    };
    let monday = id(Post::DutyOfficer, "2026-12-28 08:30");
    let tuesday = id(Post::DutyOfficer, "2026-12-29 08:30");
    let leader = id(Post::DutyLeader, "2026-12-28 08:30");
    let now = at("2026-12-28 07:00");
    let swap = async |shifts: [&str; 2], reason: &str, now: Timestamp| {
        roster.swap(REGION, shifts, "韩守正", reason, now).await
    };
    let refused = swap([&monday, &tuesday], " ", now).await;
    assert!(matches!(refused, Err(SwapError::ReasonMissing)));
    let refused = swap([&monday, &leader], "家中有事", now).await;
    assert!(matches!(refused, Err(SwapError::NotAlike)));
    let refused = swap([&monday, "nowhere"], "家中有事", now).await;
    assert!(matches!(refused, Err(SwapError::NotFound(_))));
    let refused = swap([&monday, &tuesday], "家中有事", at("2026-12-28 17:30")).await;
    assert!(matches!(refused, Err(SwapError::Over)));
    let swapped = swap([&monday, &tuesday], "家中有事", now).await.unwrap();
    let again = at("2026-12-28 07:01");
    let sent_twice = swap([&monday, &tuesday], "家中有事", again).await.unwrap();
    assert_eq!(sent_twice, swapped);
    assert_eq!(
        names(&roster, "2026-12-28 09:00").await,
        on_duty("许怀谷", "韩守正")
    );
    assert_eq!(
        names(&roster, "2026-12-29 09:00").await,
        on_duty("叶知秋", "秦若谷")
    );

    // The same file again undoes nothing.
    let again = roster
        .import(
            REGION,
            &read(&sample(), &anyone()).unwrap(),
            false,
            issued(),
        )
        .await
        .unwrap();
    assert_eq!((again.added, again.known), (0, 22));
    assert_eq!(
        names(&roster, "2026-12-28 09:00").await,
        on_duty("许怀谷", "韩守正")
    );
    let swaps = roster.swaps(REGION).await.unwrap();
    assert_eq!(swaps.len(), 1);
    assert_eq!(swaps[0].who, ["叶知秋", "许怀谷"]);
    assert_eq!(
        (swaps[0].by.as_str(), swaps[0].reason.as_str()),
        ("韩守正", "家中有事")
    );
    assert_eq!(swaps[0].at, now);
}

async fn a_roster_issued_anew_takes_the_place_of_the_one_before(kept: Kept) {
    let roster = Roster::new(kept.store.clone());
    let before = read(&sample(), &anyone()).unwrap();
    let import = async |shifts: &[Planned], replace| {
        let imported = roster
            .import(REGION, shifts, replace, issued())
            .await
            .unwrap();
        (imported.added, imported.known, imported.dropped)
    };
    assert_eq!(import(&before, false).await, (22, 0, 0));
    // 叶知秋 is ill that week: someone else has her shifts. Leaders are not in this file and stay.
    let anew: Vec<Planned> = (before.iter())
        .filter(|shift| shift.post == Post::DutyOfficer)
        .map(|shift| Planned {
            who: shift.who.replace("叶知秋", "江临风"),
            ..shift.clone()
        })
        .collect();
    assert_eq!(import(&anew, true).await, (4, 10, 4));
    assert_eq!(
        names(&roster, "2026-12-28 09:00").await,
        on_duty("江临风", "韩守正")
    );
    assert_eq!(import(&anew, true).await, (0, 14, 0));
    // She is well again sooner than thought.
    assert_eq!(import(&before, true).await, (4, 18, 4));
    assert_eq!(
        names(&roster, "2026-12-28 09:00").await,
        on_duty("叶知秋", "韩守正")
    );
}

async fn of_many_swaps_of_a_shift_at_once_none_is_lost_and_no_one_is_doubled(kept: Kept) {
    let roster = Roster::new(kept.store.clone());
    roster
        .import(
            REGION,
            &read(&sample(), &anyone()).unwrap(),
            false,
            issued(),
        )
        .await
        .unwrap();
    let week = (at("2026-12-28 08:30"), at("2027-01-04 08:30"));
    let officers = async || {
        let shifts = roster.between(REGION, week.0, week.1).await.unwrap();
        let of_post = shifts
            .into_iter()
            .filter(|shift| shift.post == Post::DutyOfficer);
        of_post.collect::<Vec<Shift>>()
    };
    let before = officers().await;
    let pairs = (0..12_usize).map(|turn| (turn % 14, (turn * 5 + 3) % 14));
    let made = futures::future::join_all(pairs.map(|(first, second)| {
        let shifts = [before[first].id.as_str(), before[second].id.as_str()];
        roster.swap(REGION, shifts, "韩守正", "换班", at("2026-12-28 07:00"))
    }))
    .await;
    let count = |shifts: &[Shift]| {
        let mut who: Vec<String> = shifts.iter().map(|shift| shift.who.clone()).collect();
        who.sort();
        who
    };
    assert_eq!(
        count(&before),
        count(&officers().await),
        "each works as often as before"
    );
    let done = made.iter().filter(|swap| swap.is_ok()).count();
    assert!(done > 0);
    assert_eq!(roster.swaps(REGION).await.unwrap().len(), done);
}

async fn the_roster_is_shown_with_holidays_gaps_and_swaps(kept: Kept) {
    let roster = Roster::new(kept.store.clone());
    let now = at("2026-12-31 09:00");
    let run = async |command: roster::command::Command| {
        let mut out = Vec::new();
        roster::command::run(&command, &roster, &calendar(), &anyone(), now, &mut out)
            .await
            .unwrap();
        String::from_utf8(out).unwrap()
    };
    let import = || roster::command::Command::Import {
        file: sample(),
        region: REGION.to_owned(),
        replace: false,
    };
    let show = || roster::command::Command::Show {
        region: REGION.to_owned(),
        days: 5,
    };
    assert_eq!(
        run(import()).await,
        "22 shifts added, 0 were on the roster already, 0 taken off\n"
    );
    let shown = run(show()).await;
    for line in [
        "2026-12-31  工作日\n",
        "  * 值班员  2026-12-31 08:30 – 2026-12-31 17:30  许怀谷",
        "2027-01-01  元旦\n",
        "2027-01-03  休息日\n",
        "gap      2027-01-04 08:30 – 2027-01-05 09:00 没有值班员\n",
        "gap      2027-01-04 08:30 – 2027-01-05 09:00 没有分管领导\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let mut of_officers = shown
        .lines()
        .filter(|line| line.contains("值班员  2027-01-0"))
        .map(|line| line.rsplit(' ').next().unwrap().to_owned());
    let swap = roster::command::Command::Swap {
        shifts: vec![of_officers.next().unwrap(), of_officers.next().unwrap()],
        region: REGION.to_owned(),
        by: "韩守正".to_owned(),
        reason: "元旦返乡".to_owned(),
    };
    assert_eq!(run(swap).await, "swapped  叶知秋 ⇄ 沈望舒\n");
    let shown = run(show()).await;
    assert!(shown.contains("沈望舒（原叶知秋）"), "{shown}");
    assert!(
        shown.contains("swap     2026-12-31 09:00 叶知秋 ⇄ 沈望舒（韩守正：元旦返乡）"),
        "{shown}"
    );
}

on_each_store!(
    who_is_on_duty_follows_the_roster_and_its_swaps,
    a_roster_issued_anew_takes_the_place_of_the_one_before,
    of_many_swaps_of_a_shift_at_once_none_is_lost_and_no_one_is_doubled,
    the_roster_is_shown_with_holidays_gaps_and_swaps,
);

#[test]
fn gaps_are_found_before_between_and_after_shifts() {
    let shift = |from: &str, until: &str| Shift {
        id: from.to_owned(),
        region: REGION.to_owned(),
        post: Post::DutyOfficer,
        planned: "叶知秋".to_owned(),
        who: "叶知秋".to_owned(),
        from: at(from),
        until: at(until),
    };
    let shifts = [
        shift("2026-12-28 20:00", "2026-12-29 06:00"),
        shift("2026-12-28 08:00", "2026-12-28 17:00"),
        // Lies within the one before: what it covers is covered.
        shift("2026-12-28 09:00", "2026-12-28 10:00"),
    ];
    let (from, until) = (at("2026-12-28 07:00"), at("2026-12-29 08:00"));
    let found: Vec<(Timestamp, Timestamp)> = gaps(&shifts, from, until)
        .iter()
        .filter(|gap| gap.post == Post::DutyOfficer)
        .map(|gap| (gap.from, gap.until))
        .collect();
    assert_eq!(
        found,
        [
            (from, at("2026-12-28 08:00")),
            (at("2026-12-28 17:00"), at("2026-12-28 20:00")),
            (at("2026-12-29 06:00"), until),
        ]
    );
    let covered = gaps(&shifts, at("2026-12-28 09:00"), at("2026-12-28 17:00"));
    let posts: Vec<Post> = covered.iter().map(|gap| gap.post).collect();
    assert_eq!(posts, [Post::DutyLeader, Post::OfficeLeader]);
    assert_eq!(
        covered[0].until.duration_since(covered[0].from),
        SignedDuration::from_hours(8)
    );
}

/// The program, with the settings that ship but a store and regions of the test's own.
fn responder(folder: &Path, arguments: &[&str]) -> Output {
    let shipped = project().join("deploy/config/responder.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let root = project().canonicalize().unwrap();
    let text = text
        .replace(
            "regions = [\"region/360921\"]",
            &format!(
                "regions = [\"{}\"]",
                root.join("deploy/sample/region/990101").display()
            ),
        )
        .replace(
            "/var/lib/wensheng/responder.sqlite",
            &folder.join("responder.sqlite").display().to_string(),
        )
        .replace(
            "\"holidays.toml\"",
            &format!("\"{}\"", root.join("deploy/config/holidays.toml").display()),
        );
    let config = folder.join("responder.toml");
    std::fs::write(&config, text).unwrap();
    Command::new(std::env::var("CARGO_BIN_EXE_responder").unwrap())
        .arg("--config")
        .arg(&config)
        .args(arguments)
        .env("RUST_LOG", "warn")
        .output()
        .unwrap()
}

#[test]
fn a_wrong_file_brings_nothing_in_and_a_right_one_is_seen_by_check_config() {
    let folder = tempfile::tempdir().unwrap();
    let said = |output: &Output| {
        format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    // Without a store there is no roster to look at: that is no mistake.
    let checked = responder(folder.path(), &["check-config"]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(!said(&checked).contains("roster of"), "{}", said(&checked));
    assert!(said(&checked).contains("warning: "), "{}", said(&checked));

    let shown = responder(folder.path(), &["roster", "show", "--region", REGION]);
    assert!(
        said(&shown).contains("there is no store at"),
        "{}",
        said(&shown)
    );
    let backup = folder.path().join("backup").display().to_string();
    let kept = responder(folder.path(), &["backup", &backup]);
    assert!(
        said(&kept).contains("there is no store at"),
        "{}",
        said(&kept)
    );
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .display()
                    .to_string()
                    .contains("backup")
            })
            .count(),
        0,
        "nothing is begun"
    );
    let store = Place::File(folder.path().join("responder.sqlite"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    (runtime.block_on(async { Store::open(&store).await.unwrap().close().await }));

    let wrong = folder.path().join("wrong.csv");
    std::fs::write(
        &wrong,
        format!("{HEADER}\n值班员,叶知秋,2026-12-28 08:30,2026-12-28 17:30\n值班长,x,y,z\n"),
    )
    .unwrap();
    let wrong = wrong.display().to_string();
    let refused = responder(
        folder.path(),
        &["roster", "import", &wrong, "--region", REGION],
    );
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("row 3, column 岗位"),
        "{}",
        said(&refused)
    );
    let elsewhere = responder(folder.path(), &["roster", "show", "--region", "360921"]);
    assert!(
        said(&elsewhere).contains("region `360921` is not served"),
        "{}",
        said(&elsewhere)
    );

    let sample = sample().display().to_string();
    let import = ["roster", "import", &sample, "--region", REGION];
    let taken = responder(folder.path(), &import);
    assert!(
        said(&taken).contains("22 shifts added, 0 were"),
        "{}",
        said(&taken)
    );
    let again = responder(folder.path(), &import);
    assert!(
        said(&again).contains("0 shifts added, 22 were"),
        "{}",
        said(&again)
    );
    let checked = responder(folder.path(), &["check-config"]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(
        said(&checked).contains("warning: roster of 990101: "),
        "{}",
        said(&checked)
    );
}
