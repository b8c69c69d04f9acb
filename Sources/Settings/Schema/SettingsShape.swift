import Base

/// What the traces of several documents say together about one place in them.
struct SettingsShape {
    var readings: [SettingsTrace.Reading] = []
    /// Nil also where the documents disagree.
    var value: SettingsTrace.Default?
    var isRequired = false
    var members: [(key: String, shape: SettingsShape)] = []
    /// What stands under names that the user chooses; nil where the decoder names the keys.
    var chosen: [SettingsShape] = []
    var elements: [SettingsShape] = []

    init(_ traces: [SettingsTrace]) {
        let states = traces.map(\.snapshot)
        for state in states {
            for reading in state.readings where !readings.contains(reading) { readings.append(reading) }
        }
        let values = states.compactMap(\.value)
        value = values.allSatisfy { $0 == values.first } ? values.first : nil
        let elements = states.flatMap(\.elements)
        if !elements.isEmpty { self.elements = [SettingsShape(elements)] }
        if states.contains(where: \.hasChosenNames) {
            chosen = [SettingsShape(states.flatMap { $0.members.values })]
            return
        }
        var keys: [String] = []
        for key in states.flatMap(\.keys) where !keys.contains(key) { keys.append(key) }
        // Demanded in every document that has the mapping: a key that only one kind of format needs is not required.
        let mappingReadings = states.reduce(0) { $0 + $1.mappingReadings }
        members = keys.map { key in
            let here = states.compactMap { $0.members[key] }
            var shape = SettingsShape(here)
            let demands = here.reduce(0) { $0 + $1.snapshot.demands }
            shape.isRequired = demands > 0 && demands >= mappingReadings
            return (key, shape)
        }
    }

    /// The places below `path` of which no document shows how they are read.
    func unexplained(at path: String) -> [String] {
        var places = readings.isEmpty ? [path] : []
        for (key, shape) in members { places += shape.unexplained(at: path.isEmpty ? key : "\(path).\(key)") }
        for shape in chosen { places += shape.unexplained(at: "\(path).*") }
        for shape in elements { places += shape.unexplained(at: "\(path)[]") }
        return places
    }
}
