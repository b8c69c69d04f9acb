import Base
import Events
import Settings

/// A step after the parser. Each stands in a file of its own, with its keys and what it does.
protocol RowStep: Sendable {
    /// Its key in the configuration.
    static var name: String { get }

    /// Whether there are records that it can't do its work on.
    var canFail: Bool { get }

    /// Opens what it needs besides the configuration. Called once, before the first record.
    func prepare() throws(SettingsError)

    /// Does its work; false leaves the record out. Throws before it has changed anything.
    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool

    /// What the fields are called afterwards, and what they hold.
    func fields(after fields: [FieldType]) -> [FieldType]
}

extension RowStep {
    var name: String { Self.name }
    var canFail: Bool { false }
    func prepare() throws(SettingsError) {}
    func fields(after fields: [FieldType]) -> [FieldType] { fields }
}

typealias FieldType = (name: String, type: ValueType)

/// A record on its way through the steps after the parser.
struct StepRecord {
    var event: Event
    /// When the event happened, by its own account: what the parser found, or a `timestamp` step.
    var time: Timestamp?
    /// What a `route` step named it.
    var route: String?
}

/// What a step may look at besides the record's fields.
struct StepInput {
    /// Stays the same whenever the record is read again.
    var recordHash: UInt64
    /// The record's own timestamp: when it was shipped.
    var arrival: Timestamp
    /// The step's place among the steps after the parser.
    var place: Int
    var memory: StepMemory
}

/// What steps remember from record to record, of one partition, from the moment it is taken over; and what they count. Used by one task at a time.
public final class StepMemory {
    /// What a `route` step named the record that went through the steps last; nil without such a step.
    var route: String?
    private var states: [Int: AnyObject] = [:]
    /// Failures by the step that failed, the parser first.
    private(set) var failures: [Int: Int] = [:]

    public init() {}

    /// The state of the step at this place; made when it is asked for first.
    func state<State: AnyObject>(at place: Int, make: () -> State) -> State {
        if let state = states[place] as? State { return state }
        let state = make()
        states[place] = state
        return state
    }

    func countFailure(at place: Int) { failures[place, default: 0] += 1 }

    func takeFailures() -> [Int: Int] {
        defer { failures.removeAll(keepingCapacity: true) }
        return failures
    }
}
