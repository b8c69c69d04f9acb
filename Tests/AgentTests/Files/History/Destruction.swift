import Base

/// The last copy of a generation was cut, or lost its last name.
///
/// A line of it may be missing from the broker only where no tailer could have had it:
/// - the agent wasn't running then, or had been for less time than it needs to notice a file (`noticeMax`);
/// - the line was written less than `noticeMax` before, and, where only the name is gone, the agent had not opened the file yet;
/// - the agent could take nothing (its intent log was full), and the file was cut, or it had no descriptor left to open it with;
/// - the agent was killed between that moment and the seal of what it still held.
struct Destruction {
    var generation: SourceTruth.Generation
    var at: Instant
    var isCut: Bool
    var hadHandle: Bool
    var aliveSince: Instant?

    private static let sealSlack = Duration.milliseconds(300)

    func settle(_ history: FileHistory) {
        for index in generation.lines.indices where generation.lines[index].demand == .once {
            if isExcused(generation.lines[index], history) { generation.lines[index].demand = .atMostOnce }
        }
    }

    private func isExcused(_ line: SourceTruth.Line, _ history: FileHistory) -> Bool {
        let record = history.record
        guard let aliveSince else { return true }
        let sealed = record.settled(after: at, slack: history.noticeMax + Self.sealSlack)
        if record.endedBetween(at, sealed) { return true }
        if hadHandle, !isCut { return false }
        let since = max(line.writtenAt, aliveSince)
        if at - since < history.noticeMax + Self.sealSlack { return true }
        if record.stalledBetween(since, at) { return isCut || history.traits.handlesMax < 64 }
        return !isCut && history.traits.handlesMax < 64
    }

    /// Whether a loss must have been told: the agent lived, and went on living.
    func mustBeTold(_ history: FileHistory) -> Bool {
        aliveSince != nil && !history.record.endedBetween(at, at + .seconds(60))
    }

    /// Nobody can tell of what he could not see.
    func hadTimeToNotice(_ line: SourceTruth.Line, _ history: FileHistory) -> Bool {
        aliveSince.map { at - max(line.writtenAt, $0) > history.noticeMax + Self.sealSlack } ?? false
    }
}
