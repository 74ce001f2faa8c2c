//! `ringfence fix`: the smallest changes that remove findings, shown first and written when asked to.

use super::{deps as packages, exit, update};
use crate::terminal;
use ::fix::{Edit, Installed, Remedy, Tools, Upgrades};
use ::scan::{Loaded, Options, Report};
use anyhow::Context;
use deps::{Certainty, Index};
use findings::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The audit that upgrades answer to.
const PACKAGES: &str = "vulnerable-dependency";

/// Mends what can be mended by a mechanical change: packages, templates, policies, code.
///
/// Shows the change as a unified diff on standard output and says on standard error which finding each part removes and what to
/// think of. With --write it makes the change, scans again and says whether the findings are gone and no other came.
///
/// Exits with 0 when there is nothing to change, or when everything was written and holds; with 1 when there is a change to make,
/// or when a finding is still there afterwards or a new one came; with 2 when the work could not be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder, or one template.
    path: PathBuf,
    /// Makes the change.
    #[arg(long)]
    write: bool,
    /// Only findings of this audit; may be given several times.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Only findings of this function (its logical id).
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// Changes manifests only and runs no tool, so that nothing is fetched.
    #[arg(long)]
    no_tools: bool,
}

/// A change with what it is for.
struct Step {
    /// What it removes: places in the report's findings.
    removes: Vec<usize>,
    text: String,
    remark: Option<String>,
}

/// Everything that is going to change.
#[derive(Default)]
struct Plan {
    files: BTreeMap<String, String>,
    steps: Vec<Step>,
    remarks: Vec<String>,
    /// What stays, with why: audit and reason to how often.
    left: BTreeMap<(String, String), usize>,
}

/// Plans, shows, and writes where asked to.
///
/// # Errors
/// Where the path can't be read, an audit isn't known, or a file can't be written.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    for id in &args.only {
        if !::scan::own::all().any(|info| info.id == id) {
            let near = findings::near_miss(id, ::scan::own::all().map(|info| info.id));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            anyhow::bail!("there is no audit `{id}`{hint}");
        }
    }
    let mut loaded = super::load(&args.path, &Options::default())?;
    super::tell_errors(&loaded);
    let report = ::scan::report(&mut loaded, super::today());
    let none = NoTools;
    let tools: &dyn Tools = if args.no_tools { &none } else { &Installed };
    let plan = plan(&args, &mut loaded, &report, tools)?;
    tell(&plan, &loaded, &report);
    let mut text = String::new();
    for (path, after) in &plan.files {
        let before = std::fs::read_to_string(loaded.root.join(path)).ok();
        text += &::fix::diff(path, before.as_deref(), after);
    }
    terminal::print(&text)?;
    if plan.files.is_empty() {
        terminal::say("nothing to change");
        return Ok(ExitCode::SUCCESS);
    }
    if !args.write {
        terminal::say(&format!("{} would change; `--write` makes the change", files(plan.files.len())));
        return Ok(ExitCode::from(exit::FOUND));
    }
    write(&loaded.root, &plan.files)?;
    terminal::say(&format!("{} changed", files(plan.files.len())));
    check(&args.path, &loaded, &report, &plan)
}

/// No tool at all.
struct NoTools;

impl Tools for NoTools {
    fn has(&self, _program: &str) -> bool {
        false
    }

    fn run(&self, program: &str, _arguments: &[String], _folder: &Path) -> Result<(), String> {
        Err(format!("`{program}` isn't run"))
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_string() } else { format!("{count} files") }
}

fn plan(args: &Args, loaded: &mut Loaded, report: &Report, tools: &dyn Tools) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    let wanted = |finding: &Finding| {
        let named = args.only.is_empty() || args.only.iter().any(|id| id == finding.id);
        named && args.function.as_ref().is_none_or(|name| finding.function.as_ref() == Some(name))
    };
    let chosen: Vec<(usize, &Finding)> =
        report.findings.iter().enumerate().filter(|(_, finding)| wanted(finding)).collect();
    let about_packages: Vec<(usize, &Finding)> =
        chosen.iter().copied().filter(|(_, finding)| finding.id == PACKAGES).collect();
    if !about_packages.is_empty() {
        upgrades(loaded, &about_packages, tools, &mut plan)?;
    }
    let rest: Vec<(usize, &Finding)> = chosen.into_iter().filter(|(_, finding)| finding.id != PACKAGES).collect();
    let findings: Vec<&Finding> = rest.iter().map(|(_, finding)| *finding).collect();
    let input = ::fix::Input { estate: &loaded.estate, sources: &loaded.sources };
    let mut edits: Vec<Edit> = Vec::new();
    let mut owners: Vec<usize> = Vec::new();
    let mut repairs = Vec::new();
    for ((at, finding), remedy) in rest.iter().zip(::fix::repairs(&input, &findings)) {
        match remedy {
            Remedy::Repair(repair) => {
                owners.extend(std::iter::repeat_n(repairs.len(), repair.edits.len()));
                edits.extend(repair.edits.iter().cloned());
                repairs.push((*at, repair));
            }
            Remedy::Decision(why) => *plan.left.entry((finding.id.to_string(), why)).or_default() += 1,
        }
    }
    let load = |path: &str| packages::text(&loaded.root, path);
    // A repair is made whole or not at all.
    let (_, clashing) = ::fix::apply(&edits, &load);
    let broken: BTreeSet<usize> = clashing.iter().filter_map(|at| owners.get(*at).copied()).collect();
    let kept: Vec<Edit> =
        edits.iter().zip(&owners).filter(|(_, owner)| !broken.contains(owner)).map(|(edit, _)| edit.clone()).collect();
    let (texts, _) = ::fix::apply(&kept, &load);
    for (number, (at, repair)) in repairs.into_iter().enumerate() {
        if broken.contains(&number) {
            let id = report.findings.get(at).map_or("", |finding| finding.id);
            let why = "another repair changes the same lines: run `ringfence fix` again after it".to_string();
            *plan.left.entry((id.to_string(), why)).or_default() += 1;
            continue;
        }
        // One line in `Globals` mends several findings.
        match plan.steps.iter_mut().find(|step| step.text == repair.title && step.remark == repair.remark) {
            Some(step) => step.removes.push(at),
            None => plan.steps.push(Step { removes: vec![at], text: repair.title, remark: repair.remark }),
        }
    }
    plan.files.extend(texts);
    Ok(plan)
}

/// Lifts the packages that findings are about.
fn upgrades(
    loaded: &mut Loaded,
    findings: &[(usize, &Finding)],
    tools: &dyn Tools,
    plan: &mut Plan,
) -> anyhow::Result<()> {
    let root = loaded.root.clone();
    let (paths, _) = packages::manifests(&root);
    let survey = deps::survey(&loaded.estate, &mut loaded.sources, &paths, &mut |path| packages::text(&root, path));
    let index = Index::open(&update::index_folder(None)?)?;
    let matching = deps::match_packages(&survey.packages, &index)?;
    let sources = &loaded.sources;
    let certain: BTreeSet<usize> =
        matching.vulnerable.iter().filter(|one| one.certainty > Certainty::Possible).map(|one| one.package).collect();
    let place = |span: source::Span| (sources.path(span).to_string(), span.start);
    let mut removes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, finding) in findings {
        let mut places: BTreeSet<(String, u32)> = BTreeSet::from([place(finding.primary.span)]);
        // Where no function ships them, one finding is about several.
        if finding.function.is_none() {
            places.extend(finding.related.iter().map(|label| place(label.span)));
        }
        for package in &certain {
            let Some(own) = survey.packages.get(*package).filter(|own| !own.dev) else { continue };
            if places.contains(&place(own.span)) {
                removes.entry(*package).or_default().push(*at);
            }
        }
    }
    let wanted: BTreeSet<usize> = removes.keys().copied().collect();
    let load = |path: &str| packages::text(&root, path);
    let Upgrades { files, lifted, left, remarks } =
        ::fix::upgrades(&survey, &matching, &index, sources, &wanted, &load, tools);
    plan.files.extend(files);
    plan.remarks.extend(remarks);
    for one in lifted {
        // Through what asks for it, it may come to more than the least that is needed.
        let more = if one.how.is_some() { " or later" } else { "" };
        let text = format!("upgrade {} from {} to {}{more}", plain(&one.name), plain(&one.from), plain(&one.to));
        let step = Step { removes: removes.get(&one.package).cloned().unwrap_or_default(), text, remark: one.how };
        plan.steps.push(step);
    }
    for (at, why) in left {
        let name = survey.packages.get(at).map_or_else(String::new, |own| {
            format!("{PACKAGES} of {} {}", plain(&own.name), plain(own.version.text()))
        });
        *plan.left.entry((name, plain(&why))).or_default() += 1;
    }
    Ok(())
}

/// What others wrote, without what moves a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// Says what the change is for, and what stays.
fn tell(plan: &Plan, loaded: &Loaded, report: &Report) {
    for step in &plan.steps {
        terminal::say(&step.text);
        let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for finding in step.removes.iter().filter_map(|at| report.findings.get(*at)) {
            *places.entry((finding.id, loaded.sources.place(finding.primary.span))).or_default() += 1;
        }
        for ((id, place), count) in places {
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            terminal::say(&format!("  removes {id} at {place}{times}"));
        }
        if let Some(remark) = &step.remark {
            terminal::say(&format!("  note: {remark}"));
        }
    }
    for remark in &plan.remarks {
        terminal::say(&format!("to do: {remark}"));
    }
    for ((id, why), count) in &plan.left {
        let times = if *count > 1 { format!(" ({count})") } else { String::new() };
        terminal::say(&format!("left: {id}{times}: {why}"));
    }
}

/// Writes every file beside its place first, then puts all in place, so that a full disk changes nothing.
fn write(root: &Path, files: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut drafts: Vec<(PathBuf, PathBuf)> = Vec::new();
    let outcome = (|| {
        for (path, text) in files {
            let place = root.join(path);
            // A link is followed, so that what it points at changes and the link stays; never out of the root.
            let place = place.canonicalize().unwrap_or(place);
            anyhow::ensure!(place.starts_with(root), "`{path}` leads out of the folder");
            let mut draft = place.clone().into_os_string();
            draft.push(format!(".{}.new", std::process::id()));
            let draft = PathBuf::from(draft);
            drafts.push((draft.clone(), place.clone()));
            std::fs::write(&draft, text).with_context(|| format!("can't write `{}`", draft.display()))?;
            if let Ok(metadata) = std::fs::metadata(&place) {
                std::fs::set_permissions(&draft, metadata.permissions())
                    .with_context(|| format!("can't give `{}` its permissions", draft.display()))?;
            }
        }
        for (draft, place) in &drafts {
            std::fs::rename(draft, place).with_context(|| format!("can't write `{}`", place.display()))?;
        }
        Ok(())
    })();
    if outcome.is_err() {
        for (draft, _) in &drafts {
            // Those that are in place already have no draft any more.
            let _ = std::fs::remove_file(draft);
        }
    }
    outcome
}

/// Scans again, and says what came of it.
fn check(path: &Path, before: &Loaded, old: &Report, plan: &Plan) -> anyhow::Result<ExitCode> {
    let mut after = super::load(path, &Options::default())?;
    let new = ::scan::report(&mut after, super::today());
    let name = |loaded: &Loaded, finding: &Finding| {
        (finding.id, finding.function.clone(), loaded.sources.path(finding.primary.span).to_string())
    };
    let count = |loaded: &Loaded, findings: &[Finding]| {
        let mut all: BTreeMap<_, usize> = BTreeMap::new();
        for finding in findings {
            *all.entry(name(loaded, finding)).or_default() += 1;
        }
        all
    };
    let still: BTreeSet<_> =
        new.findings.iter().map(|finding| (name(&after, finding), finding.title.as_str())).collect();
    let removed: BTreeSet<usize> = plan.steps.iter().flat_map(|step| step.removes.iter().copied()).collect();
    let mut held = true;
    let mut gone = 0;
    for finding in removed.iter().filter_map(|at| old.findings.get(*at)) {
        if still.contains(&(name(before, finding), finding.title.as_str())) {
            held = false;
            terminal::say(&format!("still there: {} at {}", finding.id, before.sources.place(finding.primary.span)));
        } else {
            gone += 1;
        }
    }
    let (had, has) = (count(before, &old.findings), count(&after, &new.findings));
    for ((id, function, path), count) in &has {
        if *count > had.get(&(*id, function.clone(), path.clone())).copied().unwrap_or(0) {
            held = false;
            let of = function.as_ref().map(|name| format!(" of `{name}`")).unwrap_or_default();
            terminal::say(&format!("new: {id}{of} in {path}"));
        }
    }
    terminal::say(&format!("scanned again: {gone} findings are gone, {} are left", new.findings.len()));
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) })
}
