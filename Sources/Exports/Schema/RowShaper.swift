import Base
import Events

/// Brings rows of any shape into the table's columns, one row at a time; all files of a partition share it.
final class RowShaper {
    let schema: TableSchema
    private let conversions: [ColumnConversion]
    /// The shaped row, a cell for each column.
    private let slots: UnsafeMutableBufferPointer<Cell>
    private let topic: UnsafeRawBufferPointer
    private let partition: Int32
    private let places: (extra: Int, topic: Int, partition: Int, offset: Int, timestamp: Int)
    private var arena = ByteArena()
    private var extra: [UInt8] = []
    private var bindings: [RowBinding] = []
    /// Text that went through so far: tells when it is time to look at memory.
    private(set) var textByteCount = 0

    /// Layouts whose bindings are kept; lines that parse and lines that don't alternate.
    private static let bindingsMax = 4

    init(_ schema: TableSchema, chain: ChainID) {
        self.schema = schema
        conversions = schema.columns.map { column in
            if case .field(_, let unit) = column.source { return ColumnConversion(type: column.type, unit: unit) }
            return ColumnConversion(type: column.type, unit: nil)
        }
        slots = .allocate(capacity: schema.columns.count)
        slots.initialize(repeating: .null)
        let name = UnsafeMutableRawBufferPointer.allocate(byteCount: chain.topic.utf8.count, alignment: 1)
        name.copyBytes(from: chain.topic.utf8)
        topic = UnsafeRawBufferPointer(name)
        partition = chain.partition
        func place(_ source: TableSchema.Source) -> Int {
            guard let place = schema.columns.firstIndex(where: { $0.source == source }) else {
                preconditionFailure("a schema without \(source)")
            }
            return place
        }
        places = (place(.extra), place(.topic), place(.partition), place(.offset), place(.timestamp))
    }

    deinit {
        slots.deallocate()
        topic.deallocate()
    }

    /// The row's columns, valid until the next row: numbers, a date's days and a timestamp's microseconds as `.int`.
    func shape(
        _ row: borrowing Row, offset: Offset, timestamp: Timestamp
    ) -> UnsafeBufferPointer<Cell> {
        arena.reset()
        for place in slots.indices { slots[place] = .null }
        let binding = binding(for: row.layout)
        let cells = row.cells
        for place in 0..<cells.count where !cells[place].isNull {
            let number = row.number(at: place)
            let target = Int(binding.targets[number])
            if target >= 0, let stored = conversions[target].convert(cells[place], &arena) {
                slots[target] = stored
                if case .text(let bytes) = stored { textByteCount += bytes.count }
            } else {
                addExtra(row.layout.names[number], cells[place])
            }
            if let more = binding.more[number] { fill(more, from: cells[place]) }
        }
        if !extra.isEmpty { finishExtra() }
        slots[places.topic] = .text(topic)
        slots[places.partition] = .int(Int64(partition))
        slots[places.offset] = .int(offset.rawValue)
        if timestamp != .none {
            slots[places.timestamp] = conversions[places.timestamp].convert(.timestamp(timestamp), &arena) ?? .null
        }
        return UnsafeBufferPointer(slots)
    }

    /// Columns that take a part of the field, or take it a second time.
    private func fill(_ targets: [RowBinding.Target], from cell: Cell) {
        let root = cell.value
        for target in targets {
            let value = target.path.value(within: root)
            let part: Cell
            switch value {
            case .null: continue
            case .bool(let bool): part = .bool(bool)
            case .int(let int): part = .int(int)
            case .double(let double): part = .double(double)
            case .timestamp(let time): part = .timestamp(time)
            case .string(let text): part = .text(arena.copy(text))
            case .list, .object: part = .json(arena.copy(value.json))
            }
            // What doesn't fit stands in the extra column, with the whole field.
            if let stored = conversions[target.column].convert(part, &arena) { slots[target.column] = stored }
        }
    }

    private func addExtra(_ name: String, _ cell: Cell) {
        extra.append(UInt8(ascii: extra.isEmpty ? "{" : ","))
        JSONWriter.append(name, to: &extra)
        extra.append(UInt8(ascii: ":"))
        JSONWriter.append(cell, to: &extra)
    }

    private func finishExtra() {
        extra.append(UInt8(ascii: "}"))
        textByteCount += extra.count
        slots[places.extra] = .text(arena.copy(extra))
        extra.removeAll(keepingCapacity: true)
    }

    private func binding(for layout: RowLayout) -> RowBinding {
        if let known = bindings.first(where: { $0.layout === layout }), known.targets.count == layout.count {
            return known
        }
        bindings.removeAll { $0.layout === layout }
        if bindings.count == Self.bindingsMax { bindings.removeLast() }
        let made = RowBinding(layout, schema)
        bindings.insert(made, at: 0)
        return made
    }
}

/// Which column each field of a layout fills.
private final class RowBinding {
    struct Target {
        var column: Int
        var path: FieldPath
    }

    let layout: RowLayout
    /// By the layout's numbers; −1 for a field that no column takes whole.
    let targets: [Int32]
    let more: [[Target]?]

    init(_ layout: RowLayout, _ schema: TableSchema) {
        self.layout = layout
        var targets = [Int32](repeating: -1, count: layout.count)
        var more = [[Target]?](repeating: nil, count: layout.count)
        for (number, name) in layout.names.enumerated() {
            for (place, column) in schema.columns.enumerated() {
                guard case .field(let path, _) = column.source, path.components[0] == name else { continue }
                if path.components.count == 1, targets[number] < 0 {
                    targets[number] = Int32(place)
                } else {
                    more[number, default: []].append(Target(column: place, path: path))
                }
            }
        }
        self.targets = targets
        self.more = more
    }
}

extension [[RowBinding.Target]?] {
    fileprivate subscript(number: Int, default value: [RowBinding.Target]) -> [RowBinding.Target] {
        get { self[number] ?? value }
        set { self[number] = newValue }
    }
}
