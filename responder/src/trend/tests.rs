//! Against figures worked out otherwise: those printed in the papers, and those of statsmodels 0.15 (`proportion_confint`,
//! `confint_proportions_2indep`, `confint_poisson_2indep`, `GLM`, `OLS` with `cov_type="HAC"`), an independent implementation.

use super::*;

#[track_caller]
fn near(found: Interval, low: f64, high: f64) {
    let apart = (found.low - low).abs().max((found.high - high).abs());
    assert!(apart < 1e-6, "{found:?} is not {low} to {high}");
}

fn share(part: u64, whole: u64) -> Share {
    Share::of(part, whole, 1.0).unwrap()
}

/// The examples of Newcombe, Statistics in Medicine 17 (1998), 857–872, table I: 0.2553 to 0.3662, and 0.0624 to 0.1605.
#[test]
fn wilson_interval_of_a_share() {
    near(share(81, 263).interval, 0.255_288_519_9, 0.366_209_577_0);
    near(share(15, 148).interval, 0.062_386_399_5, 0.160_487_241_7);
    near(share(0, 10).interval, 0.0, 0.277_532_799_9);
    assert_eq!(Share::of(0, 0, 1.0), None);
    // Twice the variation is half the number.
    assert_eq!(
        Share::of(81, 263, 2.0).unwrap().interval,
        share::wilson(81.0 / 263.0, 131.5)
    );
}

/// The examples (a) and (f) of Newcombe's table II for method 10: 0.0524 to 0.3339, and 0.1705 to 0.8090.
#[test]
fn newcombe_interval_of_the_difference_of_two_shares() {
    near(
        difference(share(56, 70), share(48, 80)),
        0.052_431_472_4,
        0.333_872_654_0,
    );
    near(
        difference(share(9, 10), share(3, 10)),
        0.170_522_723_9,
        0.809_017_973_5,
    );
}

#[test]
fn mean_sentiment_and_its_difference() {
    let mean = Mean::of(14, 49, 120, 1.0).unwrap();
    assert!((mean.value + 35.0 / 120.0).abs() < 1e-12);
    near(mean.interval, -0.405_984_142_0, -0.167_786_349_8);
    near(
        Mean::of(0, 3, 5, 1.0).unwrap().interval,
        -0.968_191_015_3,
        0.111_048_158_1,
    );
    // Against itself, a difference is none, to both sides alike as far as its bounds are.
    let less = mean.less(mean);
    assert!(less.low < 0.0 && less.high > 0.0 && (less.low + less.high).abs() < 1e-12);
}

/// Cases of breast cancer after 28,010 and 19,017 person-years are the classic of this test; here other numbers, by the score
/// method of `confint_poisson_2indep`, which is the same interval.
#[test]
fn change_of_a_rate() {
    let found = change(60, 51_477.5, 30, 54_308.7, 1.0).unwrap();
    near(found.interval, 1.365_962_431_2, 3.259_306_148_4);
    let found = change(41, 28.0, 15, 30.0, 1.0).unwrap();
    assert!((found.ratio - 41.0 / 28.0 * 2.0).abs() < 1e-9);
    near(found.interval, 1.634_571_149_2, 5.246_960_728_6);
    let new = change(8, 7.0, 0, 7.0, 1.0).unwrap();
    assert!(new.ratio.is_infinite() && new.interval.low > 1.0 && new.interval.high.is_infinite());
    assert_eq!(change(0, 7.0, 0, 7.0, 1.0), None);
    // The more counts vary, the less is told.
    let told = |dispersion| change(60, 7.0, 40, 7.0, dispersion).unwrap().interval;
    assert!(told(1.0).excludes(1.0) && !told(3.0).excludes(1.0));
}

/// `GLM(…, family=Poisson()).fit(scale="X2").scale`; `chi2_contingency` of the days of each week, by the degrees of freedom.
#[test]
fn dispersion_of_counts_and_of_shares() {
    let rows: [&[u64]; 4] = [&[12, 18, 9, 21], &[3, 5, 2, 2], &[0, 0], &[7]];
    assert!((dispersion(rows).unwrap() - 4.0 / 3.0).abs() < 1e-12);
    let alike: [&[u64]; 1] = [&[5, 5, 5]];
    assert_eq!(dispersion(alike), Some(1.0));
    assert_eq!(dispersion([&[3_u64][..]]), None);
    let weeks = [
        vec![(3, 10), (8, 12), (1, 9)],
        vec![(5, 20), (9, 15), (0, 0)],
    ];
    assert!((dispersion_of_shares(&weeks) - 3.845_776_478_2).abs() < 1e-9);
    assert_eq!(dispersion_of_shares(&[vec![(0, 4), (0, 9)]]), 1.0);
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

/// The weeks swing about the lines, so none takes a part of the one before, and the interval is that of `OLS(y, X).fit()`.
#[test]
fn interrupted_time_series() {
    let values = [
        52.0, 61.0, 48.0, 70.0, 66.0, 59.0, 73.0, 64.0, 75.0, 69.0, 81.0, 72.0, // before
        55.0, 49.0, 58.0, 41.0, 52.0, 44.0, 39.0, 47.0, 36.0, 45.0,
    ];
    let effect = interrupted(&some(&values), 12).unwrap();
    near(effect.jump.interval, -36.606_945_106_8, -14.586_994_287_1);
    near(effect.slope.interval, -5.331_762_347_8, -1.754_484_738_5);
    near(effect.mean.interval, -54.667_703_874_2, -28.414_347_407_8);
    assert!((effect.mean.value + 41.541_025_641_0).abs() < 1e-9);
    assert!((effect.expected[12] - 79.015_151_515_2).abs() < 1e-9);
    assert!((effect.fitted[12] - (79.015_151_515_2 - 25.596_969_697)).abs() < 1e-9);
    assert_eq!((effect.before, effect.after), (12, 10));
    assert!((effect.mean_after - 46.6).abs() < 1e-12);
}

/// Weeks that follow each other are alike here, most of all: the interval is that of errors of which each takes 0.9 of the one
/// before, worked out with the matrices of NumPy.
#[test]
fn weeks_that_are_alike_tell_less() {
    let values = [
        10.0, 11.0, 12.0, 12.0, 11.0, 9.0, 8.0, 7.0, 8.0, 10.0, 12.0, 13.0, 13.0, 11.0,
        10.0, // before
        18.0, 19.0, 20.0, 21.0, 20.0, 18.0, 16.0, 15.0, 15.0, 17.0, 19.0, 20.0, 21.0, 20.0, 18.0,
    ];
    let effect = interrupted(&some(&values), 15).unwrap();
    near(effect.jump.interval, 0.089_573_779_7, 15.060_426_220_3);
    near(effect.slope.interval, -1.375_163_229_8, 1.282_306_087_0);
    near(effect.mean.interval, -5.195_947_536_1, 19.695_947_536_1);
}

#[test]
fn where_nothing_can_be_said() {
    let few = some(&[1.0, 2.0, 1.0, 4.0, 9.0, 8.0, 9.0, 8.0]);
    assert_eq!(interrupted(&few, 4), Err(Why::FewWeeks));
    let mut one_sided = some(&[3.0; 14]);
    one_sided[0] = Some(2.0);
    assert_eq!(interrupted(&one_sided, 11), Err(Why::FewWeeks));
    assert_eq!(interrupted(&some(&[3.0; 14]), 7), Err(Why::NoVariation));
    // A week without a value is left out, and counts for no side.
    let mut gaps = some(&[
        1.0, 2.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 9.0, 8.0, 7.0, 9.0, 8.0,
    ]);
    gaps[1] = None;
    let effect = interrupted(&gaps, 6).unwrap();
    assert_eq!((effect.before, effect.after), (5, 7));
}

/// Of series in which nothing happened, with weeks alike as those of posts are (each takes 0.3 of the one before), few are
/// said to have changed: by design 5 in 100; with 24 weeks a few more.
#[test]
fn chance_is_seldom_taken_for_an_effect() {
    let mut state = 20_261_126_u64;
    let mut uniform = || {
        // Knuth's linear congruential generator (MMIX).
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let rounds = 4_000;
    let mistaken = (0..rounds)
        .filter(|_| {
            let mut last = 0.0;
            let values: Vec<Option<f64>> = (0..24)
                .map(|_| {
                    let noise: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                    last = 0.3 * last + noise;
                    Some(100.0 + 10.0 * last)
                })
                .collect();
            interrupted(&values, 12)
                .unwrap()
                .mean
                .interval
                .excludes(0.0)
        })
        .count();
    let share = mistaken as f64 / f64::from(rounds);
    assert!(share < 0.09, "{share}");
}

fn counted(name: &str, before: bool, weeks: &[(u64, u64)]) -> Vec<Counted> {
    (weeks.iter().enumerate())
        .map(|(week, (posts, negative))| Counted {
            name: name.to_owned(),
            before,
            week,
            posts: *posts,
            negative: *negative,
        })
        .collect()
}

#[test]
fn ranks_and_what_can_be_told_of_them() {
    let period = Period::until("2026-11-28".parse().unwrap(), 28);
    let all = [
        counted("交通运输", false, &[(40, 30), (44, 33), (38, 28), (42, 30)]),
        counted("交通运输", true, &[(20, 5), (22, 6), (19, 5), (21, 5)]),
        counted("环境保护", false, &[(30, 10), (25, 8), (28, 9), (31, 10)]),
        counted("环境保护", true, &[(29, 9), (26, 8), (30, 10), (28, 9)]),
        counted("民政", false, &[(2, 1), (1, 0)]),
        counted("民政", true, &[(1, 0)]),
        counted("应急管理", true, &[(3, 0), (4, 1), (5, 2), (6, 2)]),
    ]
    .concat();
    let moved = movements(&all, period, period.before(), None, 1.0);
    let told: Vec<_> = (moved.iter())
        .map(|it| {
            (
                it.name.as_str(),
                it.posts,
                it.rank,
                it.rank_before,
                it.verdict,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("交通运输", 164, 1, Some(2), Verdict::Up),
            ("环境保护", 114, 2, Some(1), Verdict::Unclear),
            ("民政", 3, 3, Some(4), Verdict::TooFew),
            ("应急管理", 0, 4, Some(3), Verdict::Down),
        ]
    );
    assert!((moved[0].change.unwrap().ratio - 2.0).abs() < 1e-9);
    assert!(moved[0].negative_change.unwrap().low > 0.3);
    assert_eq!(moved[3].negative_share, None);
    // A week of a period does not tell how much weeks vary.
    let week = Period::until(period.to, 7);
    let only = counted("交通运输", false, &[(40, 30)]);
    assert_eq!(
        movements(&only, week, week.before(), None, 1.0)[0].verdict,
        Verdict::TooFew
    );
}
