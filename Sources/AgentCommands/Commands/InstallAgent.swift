import ArgumentParser

#if canImport(Glibc)
    import Glibc
#endif

/// `millrace agent install`: what the Debian package does, for hosts without packages.
public struct InstallAgent: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Install this program as a systemd service that ships nginx's logs and the journal.",
        discussion: """
            For hosts where the package millrace-agent can't be installed. Copies this program to /usr/local/bin, writes /etc/millrace/agent.yaml (one
            that stands there is kept), the user and the unit, and starts it. Run again it replaces program and unit, and every position is kept.

            EXAMPLES
              millrace-agent install --broker agg.example:9092 --dry-run
              sudo millrace-agent install --broker agg.example:9092
            """)

    @Option(
        name: [.customLong("broker"), .customLong("bootstrap-server")],
        help: ArgumentHelp(
            "Where lines are shipped to: brokers to begin with, separated by commas.", valueName: "host:port"))
    var broker: String

    @Flag(help: "Print what would be done and the files that would be written, and do nothing.")
    var dryRun = false

    public init() {}

    public func run() async throws {
        try await reporting {
            _ = try ClusterOptions.addresses(broker)
            let plan = try InstallPlan(brokers: broker, host: try .observed())
            guard !dryRun else { return print(plan.text) }
            guard geteuid() == 0 else {
                throw InstallRefused("only root may install a service: try sudo, or --dry-run to see what it does")
            }
            let runner = InstallRunner()
            for step in plan.steps {
                printNow(step.summary)
                try runner.run(step)
            }
            print(
                "the agent runs: systemctl status millrace-agent, journalctl -u millrace-agent, http://127.0.0.1:8641/readyz"
            )
        }
    }
}

extension InstallPlan {
    /// All steps, with what the files hold.
    var text: String {
        steps.map { step in
            guard case .file(_, let contents) = step else { return "# \(step.summary)" }
            return "# \(step.summary):\n\(contents)"
        }
        .joined(separator: "\n")
    }
}
