import Settings
import Testing

@testable import AgentCommands

@Suite struct Installation {
    private let bare = InstallPlan.Host(
        programName: "millrace-agent", programPath: "/root/millrace-agent", groups: ["adm", "systemd-journal"])

    private func file(_ plan: InstallPlan, _ path: String) -> String? {
        plan.steps.lazy.compactMap { step in
            if case .file(path, let contents) = step { contents } else { nil }
        }.first
    }

    @Test func aBareHostGetsProgramConfigurationUserAndUnitInThisOrder() throws {
        let plan = try InstallPlan(brokers: "agg.example:9092", host: bare)
        #expect(
            plan.steps.map(\.summary) == [
                "copy this program to /usr/local/bin/millrace-agent", "write /etc/millrace/agent.yaml",
                "write /etc/sysusers.d/millrace-agent.conf", "write /etc/systemd/system/millrace-agent.service",
                "run systemd-sysusers /etc/sysusers.d/millrace-agent.conf", "run systemctl daemon-reload",
                "run systemctl enable millrace-agent.service", "run systemctl restart millrace-agent.service",
            ])
        let unit = try #require(file(plan, InstallPlan.unit))
        #expect(unit.contains("\nExecStart=/usr/local/bin/millrace-agent run -c /etc/millrace/agent.yaml\n"))
        #expect(!unit.contains("/usr/bin/millrace-agent"))
        #expect(unit.contains("\nSupplementaryGroups=adm systemd-journal\n"))
    }

    @Test(arguments: ["agg.example:9092", "a.example:9092,b.example:9092"])
    func theConfigurationThatIsWrittenIsValid(brokers: String) throws {
        let text = try #require(file(try InstallPlan(brokers: brokers, host: bare), InstallPlan.configuration))
        #expect(text.contains("agg.example") || text.contains("[a.example:9092,b.example:9092]"))
        let node = try YAMLNode.parse(text, file: "agent.yaml")
        #expect(throws: Never.self) { try validateAgentSettings(node) }
    }

    @Test func aConfigurationThatStandsIsKept() throws {
        var host = bare
        host.hasConfiguration = true
        let plan = try InstallPlan(brokers: "agg.example:9092", host: host)
        #expect(plan.steps.contains(.keep(path: InstallPlan.configuration)))
        #expect(file(plan, InstallPlan.configuration) == nil)
    }

    @Test func theWholeBinaryRunsTheAgentAsItsSubcommand() throws {
        var host = bare
        host.programName = "millrace"
        host.programPath = "/usr/local/bin/millrace"
        let plan = try InstallPlan(brokers: "agg.example:9092", host: host)
        let unit = try #require(file(plan, InstallPlan.unit))
        #expect(unit.contains("\nExecStart=/usr/local/bin/millrace agent run -c /etc/millrace/agent.yaml\n"))
        #expect(
            unit.contains("\nExecStartPre=-/usr/local/bin/millrace agent config validate /etc/millrace/agent.yaml\n"))
        #expect(!plan.steps.contains(.program(to: "/usr/local/bin/millrace")), "it stands there already")
    }

    @Test func groupsThatTheHostDoesNotHaveAreLeftOut() throws {
        var host = bare
        host.groups = ["systemd-journal"]
        let unit = try #require(file(try InstallPlan(brokers: "a:9092", host: host), InstallPlan.unit))
        #expect(unit.contains("\nSupplementaryGroups=systemd-journal\n"))
    }

    @Test func besideThePackageNothingIsInstalled() {
        var host = bare
        host.hasPackage = true
        #expect(throws: InstallRefused.self) { try InstallPlan(brokers: "a:9092", host: host) }
        host.hasPackage = false
        host.hasSystemd = false
        #expect(throws: InstallRefused.self) { try InstallPlan(brokers: "a:9092", host: host) }
    }
}
