import Base

@testable import Agent

/// A rule that is broken on purpose, so that it is seen that histories find it.
enum FileSabotage: String, CaseIterable, Sendable {
    case losesABlock, repeatsABlock, swapsBlocks
    /// No position is recorded before a file's first line.
    case forgetsWhereItIs
    /// Each start is the first.
    case forgetsCheckpoints
}

final class SabotagedInput: Input {
    private let input: FileTailer
    private let sabotage: FileSabotage
    private var blocks = 0
    private var waiting: [LineBlock] = []

    init(_ input: FileTailer, _ sabotage: FileSabotage) {
        self.input = input
        self.sabotage = sabotage
    }

    func poll(now: Instant, isOpen: (_ topic: String) -> Bool) -> InputPoll {
        if sabotage != .swapsBlocks || waiting.count == 2, !waiting.isEmpty { return .block(waiting.removeLast()) }
        let poll = input.poll(now: now, isOpen: isOpen)
        switch poll {
        case .block(let block):
            blocks += 1
            switch sabotage {
            case .losesABlock where blocks % 20 == 0: return self.poll(now: now, isOpen: isOpen)
            case .repeatsABlock where blocks % 20 == 0: waiting.append(block)
            case .swapsBlocks where blocks % 20 >= 18:
                waiting.append(block)
                return self.poll(now: now, isOpen: isOpen)
            default: break
            }
        case .event(.positioned) where sabotage == .forgetsWhereItIs: return self.poll(now: now, isOpen: isOpen)
        case .event, .idle: break
        }
        return poll
    }

    func attend(now: Instant) -> Instant { input.attend(now: now) }
    func streamStatuses() -> [StreamStatus] { input.streamStatuses() }
    func close() { input.close() }
}
