//! How long after it was told to a run ends, for every analysis on work of several seconds: `cargo bench --bench cancel`; of those whose names have a word,
//! with it: `cargo bench --bench cancel -- search`. Each is told after a fifth, two fifths, … of the time that it takes; the longest wait is printed, in
//! seconds.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eagleray::internal::random::Random;
use eagleray::missions;
use eagleray::pulsation::{AccelOptions, Algorithm, SearchOptions, SearchStatistic};
use eagleray::science::cumulant::CumulantOptions;
use eagleray::science::lomb_scargle::{LombScargleMethod, LombScargleOptions};
use eagleray::science::{Band, EnergyKind};
use eagleray::simulate::Simulation;
use eagleray::{
    AccelerationSearch, AmplitudeDifference, Analysis, ArrivalTimes, Binning, BispectrumOfCumulants, BispectrumOfPairs,
    Counting, CrossSpectrum, DynamicalCross, DynamicalSpectrum, EnergyBands, EnergyDependence, Error, Fold, FoldInTime,
    Gti, LombScargle, LombScargleCross, Multitaper, Observation, PhotonBand, PowerSpectrum, PulseSearch, Session,
};

/// Events a second, and seconds.
const RATE: f64 = 2e4;
const SPAN: f64 = 1000.0;

/// Runs an analysis to its end, then cancels it at several places.
fn measure<A: Analysis>(what: &str, analysis: &A, observation: &Observation) {
    let wanted = |word: String| word.starts_with('-') || what.contains(&word);
    if !std::env::args().skip(1).all(wanted) {
        return;
    }
    let begun = Instant::now();
    let whole = match Session::cpu().and_then(|session| session.run(analysis, observation)) {
        Ok(_) => begun.elapsed(),
        Err(error) => return println!("{what:50} {error}"),
    };
    let mut longest = Duration::ZERO;
    for part in 1..5 {
        let (told, begun) = (Arc::new(Mutex::new(None)), Instant::now());
        let (seen, after) = (Arc::clone(&told), whole * part / 5);
        let watch = move |_, _| match begun.elapsed() > after {
            true => {
                seen.lock().expect("no panic").get_or_insert_with(Instant::now);
                ControlFlow::Break(())
            }
            false => ControlFlow::Continue(()),
        };
        let session = Session::cpu().expect("a CPU").watched_by(watch);
        let made = session.run(analysis, observation);
        if matches!(made, Err(Error::Cancelled))
            && let Some(told) = *told.lock().expect("no panic")
        {
            longest = longest.max(told.elapsed());
        }
    }
    println!("{what:50} {:8.3} of {:8.3}", longest.as_secs_f64(), whole.as_secs_f64());
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.fits");
    let simulation = Simulation { mission: &missions::NICER, rate: vec![RATE], length: SPAN, ..Simulation::default() };
    simulation.write(&path, false).expect("events");
    let file = Observation::open([&path]).expect("a file");
    let random = |seed: u64| {
        let mut random = Random::new(seed);
        let next = move |_| SPAN * random.uniform();
        let mut times: Vec<f64> = (0..(RATE * SPAN) as usize).map(next).collect();
        times.sort_by(f64::total_cmp);
        Observation::times(times, Gti::from_seconds(&[(0.0, SPAN)]).expect("good time"))
    };
    let times = random(1);
    let pair = Observation::pair(times.clone(), random(2)).expect("a pair");
    let session = Session::cpu().expect("a CPU");
    let curve =
        |dt: f64| Observation::light_curves([session.run(&Binning::default().dt(dt), &times).expect("a light curve")]);
    let few = {
        let times = (0..100_000).map(|i| 0.01 * f64::from(i)).collect();
        Observation::times(times, Gti::from_seconds(&[(0.0, SPAN)]).expect("good time"))
    };

    println!("{:50} {:>8}    {:>8}", "", "wait, s", "run, s");
    let power = || PowerSpectrum::default().dt(1e-4).segment_size(10.0);
    measure("power spectrum of a file", &power(), &file);
    measure("power spectrum of times", &power(), &times);
    measure("power spectrum, one segment", &power().segment_size(SPAN), &times);
    measure("power spectrum of a light curve", &PowerSpectrum::default().segment_size(10.0), &curve(1e-4));
    let sides = [PhotonBand::Energy(1.0, 3.0), PhotonBand::Energy(3.0, 10.0)];
    let cross = || CrossSpectrum::default().dt(1e-4).segment_size(10.0);
    measure("cross spectrum of two bands", &cross().bands(sides), &file);
    measure("cross spectrum of a pair", &cross(), &pair);
    measure("amplitude differences", &AmplitudeDifference::default().dt(1e-3).segment_size(10.0), &pair);
    measure("dynamical spectrum", &DynamicalSpectrum::default().spectrum(power().segment_size(1.0)), &times);
    measure("dynamical cross spectrum", &DynamicalCross::default().spectrum(cross().segment_size(1.0)), &pair);
    let subjects = (1..9).map(|k| Band { lo: f64::from(k), hi: f64::from(k + 1) }).collect();
    let bands = EnergyBands { reference: Band { lo: 1.0, hi: 9.0 }, subjects, channels: false };
    let energy = |kind| EnergyDependence::new(kind, bands.clone()).dt(1e-4).segment_size(10.0);
    measure("lags by energy", &energy(EnergyKind::Lag).freq([0.5, 100.0]), &file);
    measure("counts by energy", &energy(EnergyKind::Count), &file);
    let tapers =
        |segment_size| Multitaper::default().spectrum(PowerSpectrum::default().dt(1e-3).segment_size(segment_size));
    measure("multitaper spectrum", &tapers(10.0), &times);
    measure("multitaper spectrum, one segment", &tapers(SPAN), &times);
    measure("bispectrum", &BispectrumOfPairs::default().dt(0.01).segment_size(40.0), &times);
    measure("bispectrum, one segment", &BispectrumOfPairs::default().dt(0.1).segment_size(SPAN), &times);
    let cumulants = BispectrumOfCumulants::default().dt(0.01).segment_size(100.0);
    measure(
        "bispectrum of cumulants",
        &cumulants.cumulant(CumulantOptions { max_lag: Some(200), ..Default::default() }),
        &times,
    );
    let fast = LombScargle::default().dt(1e-4);
    measure("Lomb-Scargle spectrum", &fast, &times);
    measure("Lomb-Scargle cross spectrum", &LombScargleCross::new(fast), &pair);
    let direct = LombScargleOptions { method: LombScargleMethod::Direct, ..LombScargleOptions::default() };
    measure("Lomb-Scargle spectrum by definition", &LombScargle::default().spectrum(direct).dt(0.05), &times);
    measure("light curve", &Binning::default().dt(1e-4), &file);
    // The file's seconds are those of its mission.
    let start = file.facts().expect("facts")[0]["gti"][0][0].as_f64().expect("a start");
    measure("histogram", &Counting::new((0..1_000_001).map(|i| start + 1e-3 * f64::from(i)).collect()), &file);
    measure("search, Z²", &PulseSearch::new(1.0, 2000.0), &times);
    measure("search, Z², of few events with derivatives", &PulseSearch::new(1.0, 100.0).fdot((-1e-5, 1e-5)), &few);
    let searched = |options: SearchOptions| PulseSearch::new(1.0, 2.0).search(options);
    let fold = SearchOptions { method: SearchStatistic::Ef, ..SearchOptions::default() };
    measure(
        "search, epoch folding",
        &PulseSearch::new(1.0, 1.02).search(SearchOptions { freq: (1.0, 1.02), ..fold }),
        &times,
    );
    let ffa = SearchOptions { method: SearchStatistic::Ef, algorithm: Algorithm::Ffa, ..SearchOptions::default() };
    measure("search, fast folding", &searched(ffa), &times);
    let pdm = SearchOptions { method: SearchStatistic::Pdm, nbin: 16, ..SearchOptions::default() };
    measure("search, phase dispersion", &searched(pdm), &curve(1e-2));
    let accel = AccelOptions { freq: (1.0, 50.0), fdot: (-1e-5, 1e-5), ..AccelOptions::default() };
    measure("acceleration search", &AccelerationSearch::default().search(accel), &times);
    measure("pulse profile", &Fold::new(6.5), &file);
    measure("phaseogram", &FoldInTime::new(Fold::new(6.5), 1000), &file);
    measure("times of arrival", &ArrivalTimes::new(Fold::new(6.5), 0.05), &file);
}
