import Base
import TestKit

/// The program of one source: it writes lines, whole or in pieces, and its log is rotated as the source's traits say (`LogRotator`).
final class LogWriter {
    /// A line whose end is still to come.
    private struct Pending {
        var generation: SourceTruth.Generation
        var node: LogDisk.Node
        var index: Int
        var rest: String
        var since: Instant
        var isForEver: Bool
    }

    unowned let history: FileHistory
    let number: Int
    let truth: SourceTruth
    let traits: HistoryTraits.Source
    let path: String
    /// What the program has open.
    private(set) var node: LogDisk.Node?
    private(set) var generation: SourceTruth.Generation
    private var rotator: LogRotator!
    private var pendings: [Pending] = []
    private var lineCount = 0
    private(set) var destructions: [Destruction] = []
    private var doubtfulHeaders = 0
    /// What it wrote to before.
    private var last: (node: LogDisk.Node, generation: SourceTruth.Generation)?
    private var inodes: [UInt64: SourceTruth.Generation] = [:]
    /// Between the last byte copied and the cut nothing is written.
    var isFrozen = false
    private var isFinished = false

    init(_ history: FileHistory, number: Int) {
        self.history = history
        self.number = number
        traits = history.traits.sources[number]
        path = "/log/s\(number).log"
        truth = SourceTruth(key: "h" + path)
        generation = truth.begin(at: history.now)
        rotator = LogRotator(self)
    }

    // MARK: - Life

    func start() {
        if traits.isOld {
            open()
            write(lines: integer(1...6))
            if traits.rotation == .index || traits.rotation == .date {
                for _ in 0..<integer(0...2) {
                    rotator.rotateAtOnce()
                    write(lines: integer(1...6))
                }
            }
        }
        plan(traits.isYoung ? .milliseconds(integer(1000...5000)) : .milliseconds(integer(1...500)))
    }

    /// What the agent could not know of when it began is nothing that can be asked for.
    func agentStarts(isKnown: Bool) {
        guard !isKnown else { return }
        let isFirst = history.agent.lives == 1
        for generation in truth.generations {
            let isAtPath = generation === self.generation && history.disk.node(path) === node && node != nil
            if !isAtPath { generation.isOld = true }
            guard history.traits.startsAtEnd || !isAtPath else { continue }
            for index in generation.lines.indices {
                generation.lines[index].isUnwanted = true
                if !generation.lines[index].isComplete {
                    if !isAtPath { generation.lines[index].demand = .atMostOnce }
                } else if generation.lines[index].demand == .once {
                    generation.lines[index].demand = isFirst ? .never : .atMostOnce
                }
            }
        }
    }

    private func plan(_ pause: Duration) {
        history.after(pause, isOutside: true) { [self] in
            guard !isFinished else { return }
            step()
            history.wroteSomething()
            plan(.milliseconds(oneIn(8) ? integer(500...2500) : integer(1...300)))
        }
    }

    private func step() {
        guard !isFrozen else { return }
        if node == nil {
            if !rotator.isBusy || rotator.mayReopen { open() }
            return
        }
        switch integer(0..<10) {
        case 0..<4: write(lines: integer(1...4))
        case 4: write(lines: integer(20...60))
        case 5: writePart()
        case 6 where history.traits.oddLines: writeOddLine()
        case 7, 8: rotator.rotate()
        default: break
        }
    }

    /// All that is under way ends well, and nothing new begins.
    func finish() {
        isFinished = true
        for pending in pendings where !pending.isForEver { complete(pending) }
        pendings.removeAll { !$0.isForEver }
    }

    // MARK: - Files

    /// Opens its path, making the file.
    func open() {
        close()
        if let standing = history.disk.node(path) {
            node = standing
        } else {
            generation = truth.begin(at: history.now)
            if traits.rotation == .symlink {
                node = rotator.makeTarget()
            } else {
                node = history.disk.create(path)
                history.note("s\(number) made \(path), inode \(node!.inode), generation \(generation.number)")
                history.told { $0.renamed(path) }
            }
            node!.writers += 1
            noteInode()
            writeHeader()
            return
        }
        node!.writers += 1
    }

    func close() {
        if let node {
            last = (node, generation)
            history.disk.closed(node)
        }
        node = nil
    }

    /// The file was cut, and what comes is another generation.
    func cut() -> SourceTruth.Generation {
        let old = generation
        generation = truth.begin(at: history.now)
        return old
    }

    func adopt(_ target: LogDisk.Node) {
        close()
        generation = truth.begin(at: history.now)
        node = target
        target.writers += 1
        noteInode()
        writeHeader()
    }

    /// The new generation's file has an inode that an older one's may have had.
    private func noteInode() {
        guard let node, node.born == 0 else { return }
        generation.predecessor = inodes[node.inode]
        inodes[node.inode] = generation
        guard let last, last.generation.wasRenamed, last.node.bytes.isEmpty, last.node.inode > node.inode else {
            return
        }
        let aliveSince = history.record.aliveSince(history.now)
        let wasSeen = aliveSince.map { history.now - max($0, last.generation.madeAt) > history.noticeMax } ?? false
        if !wasSeen { last.generation.isTakenForCopy = true }
    }

    func hasPending(in node: LogDisk.Node) -> Bool { pendings.contains { $0.node === node } }

    // MARK: - Lines

    private func text() -> String {
        lineCount += 1
        return "s\(number)#\(lineCount) " + String(repeating: "x", count: integer(0...40))
    }

    func writeHeader() {
        guard traits.hasHeader, let node else { return }
        // Where a file vanished, one other that begins alike can be taken for it: nobody can tell.
        let isDoubtful = doubtfulHeaders < destructions.count
        if isDoubtful { doubtfulHeaders += 1 }
        append(
            SourceTruth.Line(
                text: "#fields of s\(number)", writtenAt: history.now, isHeader: true,
                demand: isDoubtful ? .atMostOnce : .once), to: node, generation)
    }

    func write(lines: Int) {
        guard let node, !hasPending(in: node) else { return }
        write(lines: lines, to: node, generation)
    }

    func write(lines: Int, to node: LogDisk.Node, _ generation: SourceTruth.Generation) {
        guard !hasPending(in: node) else { return }
        for _ in 0..<lines {
            append(
                SourceTruth.Line(text: text(), writtenAt: history.now, isLate: generation.wasRenamed), to: node,
                generation)
        }
    }

    private func append(
        _ line: SourceTruth.Line, as bytes: [UInt8]? = nil, to node: LogDisk.Node, _ generation: SourceTruth.Generation
    ) {
        var line = line
        if generation.isOld || generation.isTakenForCopy { line.demand = .atMostOnce }
        history.note("s\(number) writes \(line.text.prefix(12)) to inode \(node.inode)\(line.isLate ? ", late" : "")")
        generation.lines.append(line)
        history.disk.append(bytes ?? Array((line.text + "\n").utf8), to: node)
        written(node)
    }

    private func written(_ node: LogDisk.Node) {
        for place in rotator.paths(of: node) { history.told { $0.written(place) } }
    }

    private func writePart() {
        guard let node, !hasPending(in: node), !rotator.isCopying else { return }
        let whole = text()
        let least = whole.utf8.firstIndex(of: UInt8(ascii: " ")).map {
            whole.utf8.distance(from: whole.startIndex, to: $0) + 1
        }!
        let part = String(whole.prefix(integer(least...whole.utf8.count)))
        history.note("s\(number) writes a part of \(whole.prefix(12)) to inode \(node.inode)")
        generation.lines.append(
            SourceTruth.Line(text: part, writtenAt: history.now, isLate: generation.wasRenamed, isComplete: false))
        let rest = String(whole.dropFirst(part.count))
        let pending = Pending(
            generation: generation, node: node, index: generation.lines.count - 1, rest: rest, since: history.now,
            isForEver: oneIn(10))
        history.disk.append(Array(part.utf8), to: node)
        written(node)
        pendings.append(pending)
        guard !pending.isForEver else { return }
        let linger = Int(history.traits.linger.milliseconds)
        let pause = oneIn(6) ? integer(linger + 1000...linger + 4000) : integer(1...linger / 2)
        history.after(.milliseconds(pause), isOutside: true) { [self] in
            guard
                let place = pendings.firstIndex(where: {
                    $0.generation === pending.generation && $0.index == pending.index
                })
            else { return }
            complete(pendings.remove(at: place))
        }
    }

    private func complete(_ pending: Pending) {
        let generation = pending.generation
        let part = generation.lines[pending.index].text
        let whole = part + pending.rest
        history.note("s\(number) ends \(whole.prefix(12)) in inode \(pending.node.inode)")
        if generation.wasRenamed,
            history.now - pending.since > .milliseconds(history.traits.linger.milliseconds * 9 / 10)
        {
            generation.lines[pending.index].pieces = [part, pending.rest]
        }
        generation.lines[pending.index].text = whole
        generation.lines[pending.index].isComplete = true
        generation.lines[pending.index].isLate = generation.wasRenamed
        generation.lines[pending.index].writtenAt = history.now
        history.disk.append(Array((pending.rest + "\n").utf8), to: pending.node)
        written(pending.node)
    }

    private func writeOddLine() {
        guard let node, !hasPending(in: node) else { return }
        var bytes = Array(text().utf8)
        var delivered = bytes
        switch integer(0..<5) {
        case 0:
            bytes.append(0x0D)
            delivered.append(0x0D)
        case 1:
            bytes += [0, 0, 0] + Array("after".utf8)
            delivered += Array("after".utf8)
        case 2:
            bytes = Array(repeating: 0, count: integer(1...600)) + bytes
        case 3:
            bytes += [0x62, 0, 0x63]
            delivered += [0x62, 0, 0x63]
        default:
            bytes += Array(repeating: 0x79, count: integer(900...5000))
            delivered = Array(bytes.prefix(HistoryAgent.linesMax.bytes))
        }
        let line = SourceTruth.Line(
            text: String(decoding: delivered, as: UTF8.self), writtenAt: history.now, isLate: generation.wasRenamed)
        append(line, as: bytes + [0x0A], to: node, generation)
    }

    // MARK: - What can't be asked for

    func destroyed(_ generation: SourceTruth.Generation, in node: LogDisk.Node, isCut: Bool, hadHandle: Bool) {
        history.note(
            "s\(number): generation \(generation.number) is gone, \(isCut ? "cut" : "removed"), handle: \(hadHandle)")
        generation.destroyedAt = history.now
        destructions.append(
            Destruction(
                generation: generation, at: history.now, isCut: isCut,
                // Within a turn it may be a file that is only looked at.
                hadHandle: hadHandle && (!history.agent.isInTurn || history.agent.holdsOpen(node)),
                aliveSince: history.record.aliveSince(history.now)))
    }

    func settleDemands() { for destruction in destructions { destruction.settle(history) } }

    /// Losses that the agent should have told of and didn't.
    func uncounted(delivered: Set<String>) -> [String] {
        let told = history.record.events.filter { entry in
            switch entry.event {
            case .gap(let source, _), .truncated(let source): source.text == truth.key
            default: false
            }
        }
        if destructions.isEmpty,
            let gap = told.first(where: { if case .gap = $0.event { true } else { false } })
        {
            return ["told of a gap where there was none: \(gap.event)"]
        }
        return destructions.compactMap { destruction in
            guard destruction.mustBeTold(history),
                let lost = destruction.generation.lines.first(where: {
                    destruction.hadTimeToNotice($0, history) && $0.isComplete && !$0.isHeader
                        && !delivered.contains($0.text) && $0.pieces.isEmpty && $0.demand != .never
                        && !$0.isUnwanted
                }),
                !told.contains(where: { $0.at >= destruction.at })
            else { return nil }
            return "\(lost.text.prefix(20)) of generation \(destruction.generation.number) was lost and not told"
        }
    }

    // MARK: -

    func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &history.random) }
    func integer(_ range: Range<Int>) -> Int { Int.random(in: range, using: &history.random) }
    func oneIn(_ count: Int) -> Bool { history.random.oneIn(count) }
}
