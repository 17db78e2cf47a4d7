//! J2: the report of a run as files: report.json for programs, report.html for people.

mod charts;
mod digits;
mod page;

use super::results::Report;
use std::io;
use std::path::Path;

/// Writes both into the folder, made if it is not there.
pub fn write(report: &Report, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let json = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    std::fs::write(folder.join("report.json"), json)?;
    let page = folder.join("report.html");
    std::fs::write(&page, page::page(report)?.into_string())?;
    println!("report: {}", page.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::results::{Audio, CallsOut, Check, Numbers, Percentiles, Round, Second};

    fn times(p50: f64) -> Percentiles {
        Percentiles { count: 1200, mean: 1.1 * p50, p50, p95: 2.0 * p50, p99: 3.0 * p50, max: 5.0 * p50 }
    }

    /// A minute at that rate, of a switch that holds 100 calls a second.
    fn round(rate: u32) -> Round {
        let failed = rate.saturating_sub(100);
        let seconds = (0..60u32).map(|n| Second {
            tried: rate + n % 3,
            connected: rate - failed,
            failed: failed + n % 2,
            live: 4 * rate.min(n * rate / 4),
            switch_cpu: Some(f64::from(rate) / 90.0 + f64::from(n % 5) / 50.0),
            switch_memory_mib: Some(40.0 + f64::from(n) / 10.0),
            switch_descriptors: Some(60.0 + f64::from(8 * rate)),
            own_cpu: 0.08,
        });
        let numbers = Numbers {
            tried: 60 * rate,
            connected: 60 * (rate - failed),
            failed: 60 * failed,
            failures: [("503, cause 34".to_owned(), 40 * failed), ("no agent in the customer's time".to_owned(), 20 * failed)]
                .into_iter()
                .filter(|(_, calls)| *calls > 0)
                .collect(),
            offered_rate: f64::from(rate),
            served_rate: f64::from(rate - failed),
            answer_time: times(80.0),
            setup_time: times(2.0 + f64::from(failed * failed)),
            wait_time: times(104.0),
            audio: Some(Audio {
                packets_sent: 1_234_567,
                packets_heard: 1_234_500,
                packets_lost: 67,
                delay: times(3.5),
                jitter: times(0.4),
                ..Audio::default()
            }),
            calls_out: Some(CallsOut { tried: 4321, connected: 4000, failed: 7, ..CallsOut::default() }),
            switch_cpu_per_call: Some(4375.0),
            switch_cpu: Some(0.875),
            switch_memory_mib: Some(59.1),
            own_cpu: 0.08,
            ..Numbers::default()
        };
        Round {
            rate: f64::from(rate),
            numbers,
            check: Some(Check { calls: 60 * rate, records: 60 * rate, missing: failed, ..Check::default() }),
            faults: if failed > 0 { vec![format!("{failed} calls <failed> & were lost")] } else { Vec::new() },
            doubts: if failed > 0 { vec!["the generator itself used 90 % of a core".to_owned()] } else { Vec::new() },
            seconds: seconds.collect(),
        }
    }

    fn report(rates: &[u32], highest_clean_rate: Option<f64>) -> Report {
        Report {
            about: "Calls & <b>queues</b>".to_owned(),
            scenario: "loadtest/scenarios/queue.toml".to_owned(),
            began: 1_795_836_462_754,
            rounds: rates.iter().map(|rate| round(*rate)).collect(),
            highest_clean_rate,
        }
    }

    fn page(report: &Report) -> String {
        page::page(report).unwrap().into_string()
    }

    /// Every element is closed, in the order in which they were opened.
    fn assert_balanced(page: &str) {
        let (before, rest) = page.split_once("<style>").unwrap();
        let (_, after) = rest.split_once("</style>").unwrap();
        let mut open = Vec::new();
        for tag in before.split('<').chain(after.split('<').skip(1)).skip(1) {
            let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("an open end: <{tag}"));
            assert!(!text.contains('>'), "a stray >: {text}");
            let name = tag.split_whitespace().next().unwrap().trim_end_matches('/');
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name)),
                None if tag.ends_with('/') || matches!(name, "meta" | "!DOCTYPE") => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }

    #[test]
    fn the_page_is_one_whole_file_without_script_or_network() {
        let folder = std::env::temp_dir().join(format!("cordboard-report-{}", std::process::id()));
        write(&report(&[100, 200, 150], Some(100.0)), &folder).unwrap();
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(folder.join("report.json").is_file());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_balanced(&page);
        for outside in ["http", "<script", "<link", "src=", "url(", "@import", "javascript:", " onload"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.matches("<svg ").count() == 3 * 5 + 2);
    }

    #[test]
    fn what_others_wrote_is_text() {
        let page = page(&report(&[110], None));
        assert!(page.contains("Calls &amp; &lt;b&gt;queues&lt;/b&gt;"));
        assert!(page.contains("10 calls &lt;failed&gt; &amp; were lost"));
        assert!(!page.contains("<b>queues") && !page.contains("<failed>"));
    }

    #[test]
    fn a_round_tells_its_verdict_its_figures_and_what_failed() {
        let bad = page(&report(&[110], None));
        for told in [
            "28 November 2026, 03:27:42 UTC",
            "queue.toml",
            "Not clean",
            "the generator itself used 90 % of a core",
            "6,600",
            "9.09 %",
            "4,375",
            "59.1",
            "503, cause 34",
            "One-way delay",
            "Calls with too few records",
            "Calls with another key",
            "4,321",
            "1,234,567",
            "0.005 %",
            "Memory of the switch",
        ] {
            assert!(bad.contains(told), "{told}");
        }
        let good = page(&report(&[90], None));
        assert!(good.contains("Clean") && !good.contains("Not clean") && !good.contains("Doubtful"));
    }

    #[test]
    fn what_was_not_measured_is_left_out() {
        let mut report = report(&[90], None);
        let round = &mut report.rounds[0];
        round.check = None;
        round.numbers = Numbers {
            audio: None,
            calls_out: None,
            switch_cpu: None,
            switch_cpu_per_call: None,
            switch_memory_mib: None,
            failures: [].into(),
            ..round.numbers.clone()
        };
        for second in &mut round.seconds {
            (second.switch_cpu, second.switch_memory_mib, second.switch_descriptors) = (None, None, None);
        }
        let page = page(&report);
        for absent in ["Audio", "Calls out", "One-way delay", "Refusal", "Records", "Failures", "of the switch", ">switch<"] {
            assert!(!page.contains(absent), "{absent}");
        }
        assert_eq!(page.matches("<svg ").count(), 3);
        assert_balanced(&page);
    }

    #[test]
    fn a_search_leads_with_its_rate_and_what_broke_above_it() {
        let found = page(&report(&[50, 100, 200, 150, 125], Some(100.0)));
        let headline = found.find("<b>100</b> calls a second").unwrap();
        let broke = found.find("At 125 calls a second the round was not clean:").unwrap();
        assert!(headline < broke && broke < found.find("<h2>Rounds</h2>").unwrap());
        assert_eq!(found.matches("<details open").count(), 1);
        assert!(found.contains("<details open><summary><b>100 calls a second</b>"));
        assert_eq!(found.matches("<circle").count(), 2 * 5);
        assert!(page(&report(&[200, 150], None)).contains("No clean rate was found"));
        assert!(page(&report(&[50, 100], Some(100.0))).contains("the limit lies higher"));
    }

    #[test]
    fn a_long_round_is_drawn_with_means() {
        let mut report = report(&[50], None);
        report.rounds[0].seconds = (0..86_400u32).map(|n| Second { tried: n / 1000, own_cpu: 0.5, ..Second::default() }).collect();
        let page = page(&report);
        assert!(page.contains("means of 160 s") && page.contains("20 h"));
        assert!(page.len() < 200_000, "{}", page.len());
    }
}
