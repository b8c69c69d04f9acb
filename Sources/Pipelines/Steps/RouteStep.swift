import Events
import Settings

/// `route: {errors: status >= 500, slow: request_time > 1}` gives a record the name of the first condition that holds, or `rest`. A sink with `routes: [errors]` takes
/// those records alone; one without takes all.
struct RouteStep: RowStep {
    static let name = "route"
    /// Of a record for which no condition holds.
    static let rest = "rest"

    var routes: [(name: String, condition: Expression)]
    var names: [String] { routes.map(\.name) + [Self.rest] }

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        let event = record.event
        let hash = input.recordHash
        record.route = routes.first { $0.condition.matches(event, recordHash: hash) }?.name ?? Self.rest
        return true
    }
}

extension RouteStep {
    /// - Parameter compile: makes an expression of the fields that there are here.
    init(
        yaml node: YAMLNode, compile: (YAMLNode) throws(SettingsError) -> Expression
    ) throws(SettingsError) {
        var members = try node.mapping()
        routes = []
        for name in members.chosenNames() {
            let condition = try members.required(name)
            guard name != Self.rest else {
                throw SettingsError("'\(Self.rest)' is the name of what no condition holds for", at: condition.place)
            }
            routes.append((name, try compile(condition)))
        }
        try members.finish()
        guard !routes.isEmpty else { throw node.expected("at least one name and its condition") }
    }
}
