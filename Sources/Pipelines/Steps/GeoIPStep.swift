import Events
import Settings
import Synchronization

/// `geoip: {field: remote_addr, database: /usr/share/GeoIP/GeoLite2-City.mmdb}` adds where an address is said to be: `geo_country` and `geo_city`, or with `fields:
/// {name: path}` whatever the database holds (`geo_asn: autonomous_system_number`). Null where it says nothing.
struct GeoIPStep: RowStep {
    static let name = "geoip"

    /// The database, opened once for all partitions.
    private final class Opened: Sendable {
        let database = Mutex<GeoDatabase?>(nil)
    }

    var field: String
    var path: String
    var targets: [(name: String, path: [String])]
    private let place: Place
    private let opened = Opened()

    var canFail: Bool { true }

    /// Opens the database.
    func prepare() throws(SettingsError) {
        do throws(GeoDatabase.Problem) { _ = try database() } catch {
            throw SettingsError("geoip: \(error)", at: place)
        }
    }

    private func database() throws(GeoDatabase.Problem) -> GeoDatabase {
        if let database = opened.database.withLock({ $0 }) { return database }
        let database = try GeoDatabase(path)
        opened.database.withLock { $0 = database }
        return database
    }

    func apply(to record: inout StepRecord, _ input: StepInput) throws(StepError) -> Bool {
        let value = record.event[field]
        var values: [Value]? = targets.map { _ in .null }
        if !value.isNull {
            do throws(GeoDatabase.Problem) {
                values = try database().values(of: value.plainText, at: targets.map(\.path))
            } catch { throw StepError(error.description) }
        }
        guard let values else { throw StepError("\(field): \(StepError.excerpt(value.plainText)) is no address") }
        for (target, value) in zip(targets, values) { record.event[target.name] = value }
        return true
    }

    func fields(after fields: [FieldType]) -> [FieldType] {
        targets.reduce(fields) { $0.setting($1.name, to: Self.type(at: $1.path)) }
    }

    /// What MaxMind's databases hold there; text elsewhere.
    private static func type(at path: [String]) -> ValueType {
        guard let last = path.last else { return .string }
        switch last {
        case "latitude", "longitude": return .double
        case "autonomous_system_number", "geoname_id", "accuracy_radius", "metro_code", "confidence": return .int
        default: return last.hasPrefix("is_") ? .bool : .string
        }
    }
}

extension GeoIPStep {
    init(yaml node: YAMLNode) throws(SettingsError) {
        var members = try node.mapping()
        field = try members.string("field", default: "remote_addr")
        let pathNode = try members.required("database")
        path = try pathNode.string()
        guard path.hasPrefix("/") else { throw pathNode.expected("an absolute path") }
        place = pathNode.place
        targets = [("geo_country", ["country", "iso_code"]), ("geo_city", ["city", "names", "en"])]
        if let fields = members.node("fields") {
            var chosen = try fields.mapping()
            targets = []
            for name in chosen.chosenNames() {
                let path = try chosen.required(name)
                targets.append((name, try path.string().split(separator: ".").map(String.init)))
                guard targets.last?.path.isEmpty == false else {
                    throw path.expected("a path such as country.iso_code")
                }
            }
            try chosen.finish()
            guard !targets.isEmpty else { throw fields.expected("at least one field") }
        }
        try members.finish()
    }
}
