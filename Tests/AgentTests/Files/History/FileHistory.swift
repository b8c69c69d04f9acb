import Base
import SystemPackage
import TestKit

@testable import Agent

/// One history of log files, an agent and a broker in virtual time.
///
/// For a while applications write and rotate, the agent is killed, notifications get lost and the broker fails; then all is well until
/// everything is shipped, and the broker's log is held against what the sources wrote.
final class FileHistory {
    private struct Event {
        var at: Instant
        var order: Int
        /// It may also happen between two calls of the tailer.
        var isOutside: Bool
        var run: () -> Void
    }

    let seed: UInt64
    let traits: HistoryTraits
    var random: SeededRandom
    let time = ManualTime()
    private(set) var disk: LogDisk!
    private(set) var broker: HistoryBroker!
    private(set) var agent: HistoryAgent!
    private(set) var writers: [LogWriter] = []
    private var events: [Event] = []
    private var order = 0
    private(set) var isStormy = true
    private(set) var violations: [String] = []
    private(set) var trace: [String] = []
    private let isTraced: Bool
    let record = HistoryRecord()
    private static let stepsMax = 20_000
    private var steps = 0

    let sabotage: FileSabotage?

    init(seed: UInt64, isTraced: Bool = false, sabotage: FileSabotage? = nil) {
        self.seed = seed
        self.sabotage = sabotage
        self.isTraced = isTraced
        random = SeededRandom(seed: seed &* 0x9e37_79b9 &+ 17)
        traits = HistoryTraits(random: &random)
        disk = LogDisk { [time] in time.wallTime }
        disk.reusesInodes = traits.reusesInodes
        // Most file systems do.
        disk.tellsBirth = seed % 4 != 0
        if traits.listsByHash {
            func place(_ name: String) -> UInt64 {
                var name = name
                return (name.withUTF8 { StableHash.of(UnsafeRawBufferPointer($0)) } ^ seed) &* 0x9e37_79b9_7f4a_7c15
            }
            disk.listingOrder = { (place($0), $0) < (place($1), $1) }
        }
        disk.makeFolder("/log")
        disk.makeFolder("/data")
        broker = HistoryBroker(self)
        agent = HistoryAgent(self)
        disk.onCall = { [unowned self] () throws(FileError) in
            interleave()
            try agent.beforeCall()
        }
        for number in traits.sources.indices { writers.append(LogWriter(self, number: number)) }
    }

    var now: Instant { time.now }

    /// In one of eleven histories three lines make an event.
    private lazy var multiline =
        seed % 11 == 5
        ? try! Multiline(continuation: "^s[0-9]#[0-9]*[124578]( |$)", timeout: .milliseconds(200)) : nil

    var inputSettings: FileInputSettings {
        var settings = FileInputSettings(paths: ["/log/s?.log"], topic: "t")
        settings.start = traits.startsAtEnd ? .end : .beginning
        settings.lineBytesMax = HistoryAgent.linesMax
        settings.multiline = multiline
        return settings
    }

    var tailerSettings: FileTailerSettings {
        var settings = FileTailerSettings(host: "h")
        settings.descriptorsMax = traits.handlesMax
        settings.pollInterval = traits.poll
        settings.reconcileInterval = traits.reconcile
        settings.linger = traits.linger
        settings.blockBytes = ByteCount(traits.blockBytes)
        settings.idleClose = .seconds(4)
        return settings
    }

    /// How long a line may stand unread for want of a notification.
    var noticeMax: Duration {
        (traits.losesNotes ? traits.reconcile : traits.isBlind ? traits.poll : .milliseconds(30)) + .milliseconds(100)
            + (multiline?.timeout ?? .zero)
    }

    func note(_ line: @autoclosure () -> String) {
        if isTraced { trace.append("\(now.nanoseconds / 1000) \(line())") }
    }

    func violated(_ text: String) {
        note("VIOLATED \(text)")
        violations.append(text)
    }

    // MARK: - Events

    func at(_ moment: Instant, isOutside: Bool = false, _ run: @escaping () -> Void) {
        order += 1
        let event = Event(at: max(moment, now), order: order, isOutside: isOutside, run: run)
        var place = events.count
        while place > 0,
            events[place - 1].at < event.at
                || (events[place - 1].at == event.at && events[place - 1].order < event.order)
        {
            place -= 1
        }
        events.insert(event, at: place)
    }

    func after(_ duration: Duration, isOutside: Bool = false, _ run: @escaping () -> Void) {
        at(now + duration, isOutside: isOutside, run)
    }

    private func step(until end: Instant) -> Bool {
        guard let next = events.last, next.at <= end else { return false }
        steps += 1
        if steps > Self.stepsMax {
            if violations.isEmpty { violated("it goes round and round") }
            return false
        }
        events.removeLast()
        if next.at > now { time.advance(by: next.at - now) }
        next.run()
        return true
    }

    /// Something that would have happened soon happens between two calls.
    private func interleave() {
        guard isStormy, traits.interleaving > 0, agent.hasLooked || agent.wasRegistered,
            random.oneIn(traits.interleaving)
        else { return }
        let limit = now + .milliseconds(80)
        guard let place = events.lastIndex(where: { $0.isOutside }), events[place].at <= limit else { return }
        let event = events.remove(at: place)
        note("between two calls:")
        event.run()
    }

    // MARK: - What happens

    func heard(_ event: InputEvent) {
        if case .positioned(let checkpoint) = event {
            note("positioned \(checkpoint.stream) \(checkpoint.source) \(HistoryAgent.text(checkpoint))")
        } else {
            note("event \(event)")
        }
        record.heard(event, at: now)
    }

    func stalled(_ isStalled: Bool) {
        if isStalled { note("stalled") }
        record.stalled(isStalled, at: now)
    }

    func agentStarts() { record.started(at: now) }

    /// Before the first look of a life.
    func agentLooks(knowing keys: Set<String>, isRegistered: Bool) {
        for writer in writers { writer.agentStarts(isKnown: isRegistered || keys.contains(writer.truth.key)) }
    }

    func agentEnded() { record.ended(at: now) }

    func told(_ tell: (LossyNotifier) -> Void) {
        guard let notifier = agent.notifier else { return }
        if isStormy, traits.losesNotes, random.oneIn(10) {
            if random.oneIn(2) { notifier.overflow() }
        } else {
            tell(notifier)
        }
        agent.told()
    }

    func wroteSomething() {
        if traits.killRarity > 0, isStormy, random.oneIn(traits.killRarity) { agent.strike() }
        if traits.brokerTrouble, isStormy, random.oneIn(40), broker.model.isUp {
            broker.model.isUp = false
            note("the broker goes away")
            if random.oneIn(3) { broker.model.restart() }
            after(.milliseconds(Int.random(in: 20...4000, using: &random))) { [self] in broker.model.isUp = true }
        }
    }

    /// Runs it all. True where nothing was violated.
    func run() -> Bool {
        // What is still planned, and the agent's last life, hold the history: of 20,000 no memory would be left.
        defer {
            events.removeAll()
            agent.end()
        }
        let first = random.oneIn(3) ? Int.random(in: 1...3000, using: &random) : 0
        after(.milliseconds(first)) { [self] in agent.start() }
        for writer in writers { writer.start() }
        let end = now + traits.storm
        while step(until: end) {}
        if end > now { time.advance(by: end - now) }
        isStormy = false
        note("calm")
        broker.model.isUp = true
        for writer in writers { writer.finish() }
        for _ in 0..<8 {
            let quiet = now + .seconds(15)
            while step(until: quiet) {}
            if quiet > now { time.advance(by: quiet - now) }
            if agent.isDrained, violations.isEmpty, check().isEmpty { break }
        }
        if !agent.isDrained { violated("not everything was shipped") }
        // Two more are open while files are compared.
        if disk.handlesPeak > traits.handlesMax + FileTailerSettings.descriptorsReserve + 2 {
            violated("\(disk.handlesPeak) files open at a time, \(traits.handlesMax) allowed")
        }
        for text in check() { violated(text) }
        return violations.isEmpty
    }

    private func check() -> [String] {
        var found: [String] = []
        let lines = broker.lines
        for writer in writers {
            writer.settleDemands()
            let delivered = lines[writer.truth.key] ?? []
            found += writer.truth.violations(delivered: delivered).map { "s\(writer.number): \($0)" }
            found += writer.uncounted(delivered: Set(delivered)).map { "s\(writer.number): \($0)" }
        }
        let keys = Set(writers.map(\.truth.key))
        for key in lines.keys.sorted() where !keys.contains(key) { found.append("lines under key \(key)") }
        return found
    }
}
