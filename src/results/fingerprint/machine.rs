//! The machine. Formats: proc(5), and the kernel's documentation of control groups.

use std::fs;
use std::path::Path;

use super::virtualization;

/// What is known of the machine.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) cpu_model: Option<String>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) kernel: Option<String>,
    pub(super) governor: Option<String>,
    pub(super) virtualization: Option<String>,
    pub(super) load_average: Option<f64>,
}

impl Machine {
    #[cfg(target_os = "linux")]
    pub(super) fn read() -> Self {
        let cpu_info = read("/proc/cpuinfo").unwrap_or_default();
        let kernel = |file: &str| read(format!("/proc/sys/kernel/{file}"));
        Self {
            cpu_model: cpu_model(&cpu_info),
            memory_bytes: memory(),
            kernel: kernel("ostype")
                .zip(kernel("osrelease"))
                .map(|(name, release)| format!("{name} {release}")),
            governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            virtualization: virtualization::Traces::read(&cpu_info).name(),
            load_average: read("/proc/loadavg").and_then(|text| load_average(&text)),
        }
    }

    /// Neither compiled nor run by this project's own CI machines.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn read() -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        system.refresh_cpu_all();
        let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned());
        let load = sysinfo::System::load_average().one;
        let kernel = sysinfo::System::name().zip(sysinfo::System::kernel_version());
        Self {
            cpu_model: brand.filter(|brand| !brand.is_empty()),
            memory_bytes: Some(system.total_memory()).filter(|bytes| *bytes > 0),
            kernel: kernel.map(|(name, release)| format!("{name} {release}")),
            load_average: (!cfg!(windows)).then_some(load), // which has none, and gets zeros
            ..Self::default()
        }
    }
}

/// A small file's text without white space around it; `None` when that is empty.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn cpu_model(cpu_info: &str) -> Option<String> {
    let field = |name: &str| field(cpu_info, name);
    let by_name = field("model name").or_else(|| field("cpu model")).or_else(|| field("cpu"));
    let by_number = || {
        let (implementer, part) = (field("CPU implementer")?, field("CPU part")?);
        Some(format!("implementer {implementer}, part {part}"))
    };
    by_name.map(str::to_owned).or_else(by_number)
}

/// The first value of a field that has one.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let values = text.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| key.trim() == name);
    values.map(|(_, value)| value.trim()).find(|value| !value.is_empty())
}

fn memory() -> Option<u64> {
    let total = mem_total(&read("/proc/meminfo")?)?;
    let files = limit_files(&read("/proc/self/cgroup").unwrap_or_default());
    let limits = files.iter().filter_map(read).filter_map(|text| text.parse().ok());
    limits.chain([total]).min()
}

fn mem_total(mem_info: &str) -> Option<u64> {
    let kib: u64 = field(mem_info, "MemTotal")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The files that may hold a limit: of the process's control group and those above it, by both versions. Where a container sees its own
/// group as the root, the files of the root are its.
fn limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let above = Path::new(path).ancestors().filter_map(Path::to_str);
        files.extend(above.map(|path| format!("{root}{}/{file}", path.trim_end_matches('/'))));
    }
    files
}

fn load_average(text: &str) -> Option<f64> {
    text.split_ascii_whitespace().next()?.parse().ok().filter(|load: &f64| load.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_as_the_system_names_it() {
        let intel = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R) @ 2.00GHz\n\n\
                     processor\t: 1\nmodel name\t: another\n";
        assert_eq!(cpu_model(intel).as_deref(), Some("Intel(R) Xeon(R) @ 2.00GHz"));
        let arm = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("implementer 0x41, part 0xd0c"));
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t:\n"), None);
        assert_eq!(cpu_model(""), None);
    }

    #[test]
    fn memory_and_load_are_read_with_their_units() {
        assert_eq!(mem_total("MemTotal:       24684092 kB\nMemFree: 1 kB\n"), Some(25_276_510_208));
        assert_eq!(mem_total("MemFree: 1 kB\n"), None);
        assert_eq!(load_average("0.52 0.58 0.59 1/467 12345\n"), Some(0.52));
        assert_eq!(load_average("nan 1 2"), None);
        assert_eq!(load_average(""), None);
    }

    #[test]
    fn limits_are_looked_for_in_every_group_above() {
        assert_eq!(
            limit_files("9:name=systemd:/x\n4:cpu,memory:/a\n0::/user.slice/b\nnonsense\n"),
            [
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/user.slice/b/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
        assert!(limit_files("").is_empty());
    }
}
