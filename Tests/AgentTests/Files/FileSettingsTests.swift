import Base
import Settings
import Testing

@testable import Agent

/// The keys of `agent.yaml` about files: that they are read, and that they do what they say.
@Suite struct FileSettingsTests {
    private let log = "/log/app.log"

    private func read(_ yaml: String) throws -> AgentSettings {
        try AgentSettings(yaml: try YAMLNode.parse("broker: 127.0.0.1:9092\n" + yaml, file: "agent.yaml"), host: "web")
    }

    private func message(_ yaml: String) -> String {
        do {
            _ = try read(yaml)
            return "nothing"
        } catch { return "\(error)" }
    }

    @Test func whatHoldsForAllFilesIsRead() throws {
        let settings = try read(
            """
            files: {linger: 5s, poll: 250ms, reconcile: 2m, idle_close: 1h, descriptors: 7}
            sources: [{nginx: {}}]
            """)
        #expect(settings.tailer.linger == .seconds(5))
        #expect(settings.tailer.pollInterval == .milliseconds(250))
        #expect(settings.tailer.reconcileInterval == .seconds(120))
        #expect(settings.tailer.idleClose == .seconds(3600))
        #expect(settings.tailer.descriptorsMax == 7)
        #expect(settings.tailer.host == "web")
        #expect(try read("sources: [{nginx: {}}]").tailer == FileTailerSettings(host: "web"))
    }

    @Test func whatHoldsForOneSourceIsRead() throws {
        let file = try read("sources: [{file: {path: /a.log, topic: t, ignore_older: 7d, poll: true}}]").files[0]
        #expect(file.ignoreOlder == .seconds(7 * 86_400) && file.polls)
        let plain = try read("sources: [{file: {path: /a.log, topic: t}}]").files[0]
        #expect(plain.ignoreOlder == nil && !plain.polls)
    }

    @Test(arguments: [
        ("linger: 1ms", "linger"), ("poll: 1ms", "poll"), ("poll: 2d", "poll"), ("reconcile: 10ms", "reconcile"),
        ("idle_close: 0s", "idle_close"), ("descriptors: 0", "descriptors"), ("descriptors: many", "descriptors"),
    ])
    func whatMakesNoSenseIsRefusedWithItsPlace(key: String, name: String) {
        let text = message("files: {\(key)}\nsources: [{nginx: {}}]")
        #expect(text.hasPrefix("agent.yaml:2:\(9 + name.count + 2): "), "\(text)")
    }

    @Test func aMistypedKeyIsToldWithTheNearestOne() {
        #expect(message("files: {lingers: 5s}\nsources: [{nginx: {}}]").contains("did you mean 'linger'?"))
        let mistyped = message("sources: [{file: {path: /a, topic: t, ignore_olders: 1d}}]")
        #expect(mistyped.contains("did you mean 'ignore_older'?"))
        #expect(message("sources: [{file: {path: /a, topic: t, poll: sometimes}}]").contains("agent.yaml:2:"))
    }

    @Test func ignoreOlderHoldsForTheFirstLookOnly() throws {
        let rig = TailerRig()
        rig.input.ignoreOlder = .seconds(3600)
        rig.write("old\n")
        rig.write("older\n", to: "/log/away")
        rig.pass(.seconds(7200))
        try rig.start()
        #expect(rig.read() == [])
        // As old as the other, but it came after the first look: a restored backup, or what another machine moved here.
        rig.rename("/log/away", to: "/log/late.log")
        #expect(rig.read() == ["older"])
        try rig.restart()
        rig.write("new\n")
        #expect(rig.read() == ["new"])
    }

    @Test func ignoreOlderLeavesWhatWasWrittenToLatelyAlone() throws {
        let rig = TailerRig()
        rig.input.ignoreOlder = .seconds(3600)
        rig.write("1\n")
        rig.pass(.seconds(3599))
        try rig.start()
        #expect(rig.read() == ["1"])
    }

    @Test func aSourceThatIsPolledDoesNotWaitToBeTold() throws {
        let rig = TailerRig()
        rig.input.polls = true
        rig.settings.pollInterval = .seconds(2)
        rig.settings.reconcileInterval = .seconds(3600)
        try rig.start()
        let node = rig.write("1\n")
        #expect(rig.read(for: .seconds(3)) == ["1"])
        // Another machine writes, and this one's kernel says nothing.
        rig.disk.append(Array("2\n".utf8), to: node)
        #expect(rig.read(for: .seconds(3)) == ["2"])
    }

    @Test func aSourceThatIsNotPolledIsReadAtTheNextReconcile() throws {
        let rig = TailerRig()
        rig.settings.pollInterval = .seconds(2)
        rig.settings.reconcileInterval = .seconds(100)
        try rig.start()
        let node = rig.write("1\n")
        #expect(rig.read(for: .seconds(3)) == ["1"])
        rig.pass(.seconds(1))
        rig.disk.append(Array("2\n".utf8), to: node)
        #expect(rig.read(for: .seconds(60)) == [])
        #expect(rig.read(for: .seconds(60)) == ["2"])
    }

    @Test func aFileThatBringsNothingIsClosedAfterIdleClose() throws {
        let rig = TailerRig()
        rig.settings.idleClose = .seconds(60)
        try rig.start()
        let node = rig.write("1\n")
        #expect(rig.read(for: .seconds(30)) == ["1"])
        #expect(node.handles == 1)
        #expect(rig.read(for: .seconds(60)) == [])
        #expect(node.handles == 0)
        rig.write("2\n")
        #expect(rig.read() == ["2"])
    }
}
