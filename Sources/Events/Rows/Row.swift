public import Base

/// One record's fields while it goes through a pipeline, in the order in which the source wrote them, each name once: no object, string
/// or copy per field, and the same memory from record to record.
///
/// A row is valid as long as the record's bytes are, and until it begins anew. `event` is a copy that outlives both.
public struct Row: ~Copyable {
    public private(set) var layout: RowLayout
    private var storage: UnsafeMutablePointer<Cell>
    /// The layout's number of each cell.
    private var numbers: UnsafeMutablePointer<Int32>
    private var capacity = 32
    public private(set) var count = 0
    /// How many cells the row before had: the same names probably come again.
    private var countBefore = 0
    private var growing = RowLayout()
    var arena = ByteArena()

    public init() {
        layout = growing
        storage = .allocate(capacity: capacity)
        numbers = .allocate(capacity: capacity)
    }

    deinit {
        storage.deallocate()
        numbers.deallocate()
    }

    public var cells: UnsafeBufferPointer<Cell> { UnsafeBufferPointer(start: storage, count: count) }

    /// The layout's number of the cell at `place`.
    public func number(at place: Int) -> Int { Int(numbers[place]) }

    public func name(at place: Int) -> String { layout.names[Int(numbers[place])] }

    // MARK: - Filling

    /// Forgets what was there. Cells come in the layout's order.
    mutating func begin(_ layout: RowLayout) {
        self.layout = layout
        begin()
    }

    /// Forgets what was there. Cells come with their names.
    mutating func beginGrowing() {
        if growing.count >= RowLayout.namesMax { growing = RowLayout() }
        countBefore = layout === growing ? count : 0
        layout = growing
        begin()
    }

    private mutating func begin() {
        count = 0
        arena.reset()
    }

    /// The next cell of the layout.
    mutating func append(_ cell: Cell) { append(cell, number: Int32(count)) }

    /// A cell with its name. Where the name comes twice, the last value stands at the first one's place.
    mutating func append(_ cell: Cell, named name: UnsafeRawBufferPointer) {
        let guess = count < countBefore ? numbers[count] : -1
        if guess >= 0, layout.isNamed(guess, name) {
            // It is where it was in the row before, and no name before it has changed: it can't be there twice.
            return append(cell, number: guess)
        }
        countBefore = 0
        let number = layout.number(of: name) ?? layout.add(name)
        for place in 0..<count where numbers[place] == number {
            storage[place] = cell
            return
        }
        append(cell, number: number)
    }

    private mutating func append(_ cell: Cell, number: Int32) {
        if count == capacity { grow() }
        storage[count] = cell
        numbers[count] = number
        count += 1
    }

    mutating func replace(at place: Int, by cell: Cell) { storage[place] = cell }

    private mutating func grow() {
        let (oldStorage, oldNumbers) = (storage, numbers)
        storage = .allocate(capacity: capacity * 2)
        numbers = .allocate(capacity: capacity * 2)
        storage.update(from: oldStorage, count: capacity)
        numbers.update(from: oldNumbers, count: capacity)
        oldStorage.deallocate()
        oldNumbers.deallocate()
        capacity *= 2
    }

    /// Makes this the row of a line that its parser doesn't know: the line, and why.
    public mutating func fill(unparsed line: UnsafeRawBufferPointer, reason: String) {
        begin(.unparsed)
        append(.text(TextRepair.text(line, in: &arena)))
        append(.text(arena.copy(reason)))
    }

    /// Makes this a row of text that lies in the record's bytes, one for each of the layout's names; nil is null.
    public mutating func fill(texts: [UnsafeRawBufferPointer?], layout: RowLayout) {
        precondition(texts.count == layout.count, "\(texts.count) texts for \(layout.count) names")
        begin(layout)
        for text in texts { append(text.map { .text(TextRepair.text($0, in: &arena)) } ?? .null) }
    }

    /// Copies an event.
    public mutating func fill(_ event: Event) {
        beginGrowing()
        for field in event.fields {
            let cell = cell(of: field.value)
            var name = field.name
            name.withUTF8 { append(cell, named: UnsafeRawBufferPointer($0)) }
        }
    }

    private mutating func cell(of value: Value) -> Cell {
        switch value {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .double(let double): return .double(double)
        case .timestamp(let timestamp): return .timestamp(timestamp)
        case .string(let text): return .text(arena.copy(text))
        case .list, .object: return .json(json(of: value))
        }
    }

    mutating func json(of value: Value) -> UnsafeRawBufferPointer {
        var bytes: [UInt8] = []
        JSONWriter.append(value, to: &bytes)
        return arena.copy(bytes)
    }

    // MARK: - Reading

    /// A copy of all fields.
    public var event: Event { Event(distinct: (0..<count).map { Field(name(at: $0), storage[$0].value) }) }

    /// The value of a field: null where there is none.
    public subscript(name: String) -> Value {
        for place in 0..<count where layout.names[Int(numbers[place])] == name { return storage[place].value }
        return .null
    }

    /// When the event happened, by its own account: of the fields that may say so (`EventClock`), the first that holds a time.
    public var time: Timestamp? {
        for place in 0..<count {
            if let clock = layout.clocks[Int(numbers[place])], let time = clock.time(storage[place]) { return time }
        }
        return nil
    }
}
