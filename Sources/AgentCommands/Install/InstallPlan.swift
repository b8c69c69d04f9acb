import Settings

/// What `agent install` does, step by step, decided before anything is touched: `--dry-run` prints it.
struct InstallPlan: Equatable {
    enum Step: Equatable {
        /// Copies the running program.
        case program(to: String)
        case file(path: String, contents: String)
        /// A file that is the administrator's: it stands already and stays as it is.
        case keep(path: String)
        case command([String])
    }

    /// What is true of the host.
    struct Host: Equatable {
        /// `millrace-agent`, or `millrace`, whose `agent run` is the same.
        var programName: String
        var programPath: String
        /// Whether the Debian package, which owns the same unit, is there.
        var hasPackage = false
        var hasConfiguration = false
        /// Of the groups that the unit names, those that there are: a unit with an unknown one does not start.
        var groups: Set<String>
        var hasSystemd = true
    }

    static let configuration = "/etc/millrace/agent.yaml"
    static let unit = "/etc/systemd/system/millrace-agent.service"
    static let packagedUnit = "/usr/lib/systemd/system/millrace-agent.service"
    static let user = "/etc/sysusers.d/millrace-agent.conf"
    static let programs = "/usr/local/bin"

    let steps: [Step]

    /// - Parameter brokers: as they stand in the configuration, already known to be addresses.
    init(brokers: String, host: Host) throws(InstallRefused) {
        guard !host.hasPackage else {
            throw InstallRefused(
                "the package millrace-agent is installed and owns the unit: edit \(Self.configuration), then systemctl reload millrace-agent"
            )
        }
        guard host.hasSystemd else {
            throw InstallRefused(
                "there is no systemd here: start `\(host.programName)` with the host's own service manager")
        }
        let program = "\(Self.programs)/\(host.programName)"
        var steps: [Step] = host.programPath == program ? [] : [.program(to: program)]
        steps.append(
            host.hasConfiguration
                ? .keep(path: Self.configuration)
                : .file(path: Self.configuration, contents: Self.configuration(brokers: brokers)))
        steps += [
            .file(path: Self.user, contents: AgentUnit.user),
            .file(path: Self.unit, contents: Self.service(program: program, host: host)),
            .command(["systemd-sysusers", Self.user]),
            .command(["systemctl", "daemon-reload"]),
            .command(["systemctl", "enable", "millrace-agent.service"]),
            .command(["systemctl", "restart", "millrace-agent.service"]),
        ]
        self.steps = steps
    }

    private static func configuration(brokers: String) -> String {
        let list = brokers.contains(",") ? "[\(brokers)]" : brokers
        return lines(AgentUnit.configuration) { $0.hasPrefix("broker: ") ? "broker: \(list)" : $0 }
    }

    /// The package's unit, with the program where it is and the groups that there are.
    private static func service(program: String, host: Host) -> String {
        let command = host.programName == "millrace-agent" ? program : "\(program) agent"
        return lines(AgentUnit.service) { line in
            if line.hasPrefix("SupplementaryGroups=") {
                let wanted = line.dropFirst("SupplementaryGroups=".count).split(separator: " ").map(String.init)
                return "SupplementaryGroups=\(wanted.filter { host.groups.contains($0) }.joined(separator: " "))"
            }
            return line.split(separator: "/usr/bin/millrace-agent", omittingEmptySubsequences: false).joined(
                separator: command)
        }
    }

    private static func lines(_ text: String, _ change: (String) -> String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { change(String($0)) }.joined(separator: "\n")
    }
}

/// Why nothing is installed, and what to do instead.
struct InstallRefused: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension InstallPlan.Step {
    /// What is done, for a person.
    var summary: String {
        switch self {
        case .program(let path): "copy this program to \(path)"
        case .file(let path, _): "write \(path)"
        case .keep(let path): "keep \(path), which stands already"
        case .command(let words): "run \(words.joined(separator: " "))"
        }
    }
}
