//! Whether it is a virtual machine or a container: told from the traces that they leave.

use std::path::Path;

use super::machine::{field, read};

/// Names in control groups, and what they are of. The more special first: the pods of Kubernetes run on containerd.
const GROUPS: [(&str, &str); 6] = [
    ("kubepods", "kubernetes"),
    ("docker", "docker"),
    ("libpod", "podman"),
    ("lxc", "lxc"),
    ("containerd", "containerd"),
    ("garden", "garden"),
];

/// Words in the vendor's and the product's name that a hypervisor gives its machines.
const MACHINES: [(&str, &str); 10] = [
    ("Amazon EC2", "Amazon EC2"),
    ("Google", "Google Compute Engine"),
    ("Microsoft Corporation Virtual", "Hyper-V"),
    ("VMware", "VMware"),
    ("VirtualBox", "VirtualBox"),
    ("Parallels", "Parallels"),
    ("Xen", "Xen"),
    ("OpenStack", "OpenStack"),
    ("KVM", "KVM"),
    ("QEMU", "QEMU"),
];

/// The traces.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The processor's flag `hypervisor`, which x86 has.
    hypervisor: bool,
    /// Vendor and product, as the firmware names them.
    firmware: String,
    docker: bool,
    podman: bool,
    /// What systemd knows of the container it runs in.
    container: Option<String>,
    /// The control groups of process 1.
    groups: String,
    /// The kernel's release.
    release: String,
}

impl Traces {
    pub(super) fn read(cpu_info: &str) -> Self {
        let firmware =
            ["sys_vendor", "product_name"].map(|file| read(Path::new("/sys/class/dmi/id").join(file)));
        let flags = field(cpu_info, "flags").unwrap_or_default();
        Self {
            hypervisor: flags.split_ascii_whitespace().any(|flag| flag == "hypervisor"),
            firmware: firmware.into_iter().flatten().collect::<Vec<_>>().join(" "),
            docker: Path::new("/.dockerenv").exists(),
            podman: Path::new("/run/.containerenv").exists(),
            container: read("/run/systemd/container"),
            groups: read("/proc/1/cgroup").unwrap_or_default(),
            release: read("/proc/sys/kernel/osrelease").unwrap_or_default(),
        }
    }

    /// `docker in KVM`; `None` where nothing is recognised.
    pub(super) fn name(&self) -> Option<String> {
        match (self.container(), self.machine()) {
            (Some(container), Some(machine)) => Some(format!("{container} in {machine}")),
            (container, machine) => container.or(machine.map(Into::into)),
        }
    }

    fn container(&self) -> Option<String> {
        let by_group = GROUPS.iter().find(|(part, _)| self.groups.contains(part)).map(|(_, name)| *name);
        let by_file = || if self.podman { Some("podman") } else { self.docker.then_some("docker") };
        by_group.or_else(by_file).map(Into::into).or_else(|| self.container.clone())
    }

    fn machine(&self) -> Option<&'static str> {
        if self.release.to_ascii_lowercase().contains("microsoft") {
            return Some("WSL");
        }
        let by_firmware = MACHINES.iter().find(|(part, _)| self.firmware.contains(part));
        let named = by_firmware.map(|(_, name)| *name);
        named.or_else(|| self.hypervisor.then_some("virtual machine"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(traces: &Traces) -> String {
        traces.name().unwrap_or_else(|| "-".into())
    }

    #[test]
    fn what_leaves_its_traces_is_recognised() {
        let none = Traces::default();
        assert_eq!(none.name(), None);
        let bare = Traces {
            firmware: "Dell Inc. PowerEdge".into(),
            groups: "0::/init.scope".into(),
            ..Traces::default()
        };
        assert_eq!(bare.name(), None);
        let virtual_machine = Traces { hypervisor: true, ..Traces::default() };
        assert_eq!(name(&virtual_machine), "virtual machine");
        let hyper_v = Traces { firmware: "Microsoft Corporation Virtual Machine".into(), ..virtual_machine };
        assert_eq!(name(&hyper_v), "Hyper-V");
        let surface = Traces { firmware: "Microsoft Corporation Surface".into(), ..Traces::default() };
        assert_eq!(surface.name(), None);
        let pod = Traces {
            groups: "0::/kubepods/burstable/pod1/docker-2".into(),
            docker: true,
            ..Traces::default()
        };
        assert_eq!(name(&pod), "kubernetes");
        let docker = Traces { docker: true, firmware: "QEMU Standard PC".into(), ..Traces::default() };
        assert_eq!(name(&docker), "docker in QEMU");
        let subsystem = Traces { release: "5.15.90-microsoft-standard-WSL2".into(), ..Traces::default() };
        assert_eq!(name(&subsystem), "WSL");
        let other = Traces { container: Some("systemd-nspawn".into()), ..Traces::default() };
        assert_eq!(name(&other), "systemd-nspawn");
    }

    #[test]
    fn the_flag_is_a_word_of_its_own() {
        assert!(Traces::read("flags\t\t: fpu hypervisor lahf_lm\n").hypervisor);
        assert!(!Traces::read("flags\t\t: fpu nohypervisor\n").hypervisor);
    }
}
