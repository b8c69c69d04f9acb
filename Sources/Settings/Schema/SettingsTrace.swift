import Base
import Synchronization

/// What a decoder asked of one node of a configuration: in which ways it read it, under which keys, with which defaults.
///
/// The decoder is the only place that knows the keys. `config schema` and `config print` learn them by watching it read, so that neither can drift away
/// from what is accepted: `YAMLNode.traced()` begins, and every reader of `YAMLNode` and `SettingsMapping` notes what it is asked for.
public final class SettingsTrace: Sendable {
    /// One way in which a node is read.
    public enum Reading: Sendable, Hashable {
        case text, flag, number
        case whole(ClosedRange<Int>)
        case size(ClosedRange<ByteCount>)
        case duration(ClosedRange<Duration>)
        case choice([String])
        /// A list of texts, or one text.
        case texts
        case list, mapping
    }

    /// What holds where nothing is said.
    public enum Default: Sendable, Equatable {
        case text(String)
        case flag(Bool)
        case whole(Int)
    }

    struct State: Sendable {
        var readings: [Reading] = []
        var value: Default?
        var node: YAMLNode?
        /// How often the node was read as a mapping, and how often it was then demanded by the mapping that holds it.
        var mappingReadings = 0
        var demands = 0
        var keys: [String] = []
        var members: [String: SettingsTrace] = [:]
        /// Whether its keys are names that the user chooses.
        var hasChosenNames = false
        var elements: [SettingsTrace] = []
    }

    private let state = Mutex(State())

    init() {}

    var snapshot: State { state.withLock { $0 } }

    func note(_ reading: Reading) {
        state.withLock { state in
            if reading == .mapping { state.mappingReadings += 1 }
            if !state.readings.contains(reading) { state.readings.append(reading) }
        }
    }

    func note(default value: Default) { state.withLock { $0.value = value } }

    func noteChosenNames() { state.withLock { $0.hasChosenNames = true } }

    func noteDemand() { state.withLock { $0.demands += 1 } }

    func found(_ node: YAMLNode) { state.withLock { $0.node = node } }

    func member(_ key: String) -> SettingsTrace {
        state.withLock { state in
            if let known = state.members[key] { return known }
            let trace = SettingsTrace()
            state.keys.append(key)
            state.members[key] = trace
            return trace
        }
    }

    func element(_ index: Int) -> SettingsTrace {
        state.withLock { state in
            while state.elements.count <= index { state.elements.append(SettingsTrace()) }
            return state.elements[index]
        }
    }
}

extension YAMLNode {
    /// The same node, watched: what is read of it and of what it holds is noted in the trace.
    public func traced() -> (node: YAMLNode, trace: SettingsTrace) {
        let trace = SettingsTrace()
        return (watched(by: trace), trace)
    }

    func watched(by trace: SettingsTrace?) -> YAMLNode {
        guard let trace else { return self }
        var node = self
        node.trace = trace
        trace.found(self)
        return node
    }
}
