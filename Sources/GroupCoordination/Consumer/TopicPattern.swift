/// A regular expression over topic names, as members subscribe by (KIP-848): it has to match the whole name.
///
/// Anybody who may join a group sends one, so it is matched in time proportional to the name and never by trying again: the syntax is RE2's, without what such
/// a matcher can't do (back-references, look-around), and without classes of Unicode, for topic names are ASCII. Limits: `bytesMax`, `stepsMax`, `depthMax`.
public struct TopicPattern: Sendable {
    public struct Fault: Error, Sendable, Equatable {
        public var message: String
    }

    /// Of the expression itself.
    public static let bytesMax = 4096
    /// Of what it comes to once repetitions are written out.
    public static let stepsMax = 1000
    /// Of groups within groups.
    public static let depthMax = 64

    private let steps: [TopicPatternStep]

    /// Throws for an expression that can't be read or is over a limit, saying what is wrong.
    public init(_ text: String) throws(Fault) {
        guard text.utf8.count <= Self.bytesMax else {
            throw Fault(message: "longer than \(Self.bytesMax) bytes")
        }
        var parser = TopicPatternParser(text)
        var compiler = TopicPatternCompiler()
        try compiler.add(try parser.parse())
        steps = compiler.steps + [.end]
    }

    /// Whether the whole name matches. All ways through the expression are walked at once, byte by byte.
    public func matches(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        var current: [Int] = []
        var isListed = [Bool](repeating: false, count: steps.count)
        follow(0, at: 0, of: bytes.count, into: &current, &isListed)
        for (place, byte) in bytes.enumerated() {
            var next: [Int] = []
            isListed = [Bool](repeating: false, count: steps.count)
            for step in current {
                guard case .byte(let set) = steps[step], set.contains(byte) else { continue }
                follow(step + 1, at: place + 1, of: bytes.count, into: &next, &isListed)
            }
            if next.isEmpty { return false }
            current = next
        }
        return current.contains { steps[$0] == .end }
    }

    /// Lists where the way from `start` leads without taking a byte.
    private func follow(_ start: Int, at place: Int, of length: Int, into list: inout [Int], _ isListed: inout [Bool]) {
        var open = [start]
        while let step = open.popLast() {
            if isListed[step] { continue }
            isListed[step] = true
            switch steps[step] {
            case .byte, .end: list.append(step)
            case .jump(let target): open.append(target)
            case .fork(let first, let second): open += [first, second]
            case .atStart: if place == 0 { open.append(step + 1) }
            case .atEnd: if place == length { open.append(step + 1) }
            }
        }
    }
}

/// Some of the 128 characters of ASCII.
struct ASCIISet: Sendable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    static let all = ASCIISet(0...127)

    init() {}

    init(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }

    func contains(_ byte: UInt8) -> Bool {
        byte < 64 ? low & 1 << UInt64(byte) != 0 : byte < 128 && high & 1 << UInt64(byte - 64) != 0
    }

    /// Bytes beyond ASCII are in no topic's name.
    mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 << UInt64(byte) } else if byte < 128 { high |= 1 << UInt64(byte - 64) }
    }

    mutating func formUnion(_ other: ASCIISet) {
        low |= other.low
        high |= other.high
    }

    var inverted: ASCIISet {
        var set = self
        set.low = ~low
        set.high = ~high
        return set
    }

    /// With the other case of each letter.
    var foldingCase: ASCIISet {
        var set = self
        for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
            let capital = letter - 32
            if contains(letter) { set.insert(capital) }
            if contains(capital) { set.insert(letter) }
        }
        return set
    }
}

enum TopicPatternStep: Sendable, Equatable {
    case byte(ASCIISet)
    case fork(Int, Int)
    case jump(Int)
    case atStart
    case atEnd
    case end
}

indirect enum TopicPatternNode: Sendable {
    case byte(ASCIISet)
    case sequence([TopicPatternNode])
    case choice([TopicPatternNode])
    /// `max` nil is without end.
    case repeated(TopicPatternNode, min: Int, max: Int?)
    case atStart
    case atEnd
}

/// Writes the tree out as steps; repetitions are written as often as they may occur.
struct TopicPatternCompiler {
    private(set) var steps: [TopicPatternStep] = []

    private mutating func append(_ step: TopicPatternStep) throws(TopicPattern.Fault) {
        guard steps.count < TopicPattern.stepsMax else {
            throw TopicPattern.Fault(message: "too large: its repetitions come to over \(TopicPattern.stepsMax) steps")
        }
        steps.append(step)
    }

    mutating func add(_ node: TopicPatternNode) throws(TopicPattern.Fault) {
        switch node {
        case .byte(let set): try append(.byte(set))
        case .atStart: try append(.atStart)
        case .atEnd: try append(.atEnd)
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .choice(let nodes):
            var exits: [Int] = []
            for (place, node) in nodes.enumerated() {
                guard place < nodes.count - 1 else {
                    try add(node)
                    break
                }
                let fork = steps.count
                try append(.fork(0, 0))
                try add(node)
                exits.append(steps.count)
                try append(.jump(0))
                steps[fork] = .fork(fork + 1, steps.count)
            }
            for exit in exits { steps[exit] = .jump(steps.count) }
        case .repeated(let node, let min, let max):
            // Each turn is a step at least, so that turns of nothing are bounded too.
            for _ in 0..<min {
                try append(.jump(steps.count + 1))
                try add(node)
            }
            guard let max else {
                let fork = steps.count
                try append(.fork(0, 0))
                try add(node)
                try append(.jump(fork))
                steps[fork] = .fork(fork + 1, steps.count)
                return
            }
            var forks: [Int] = []
            for _ in min..<max {
                forks.append(steps.count)
                try append(.fork(0, 0))
                try add(node)
            }
            for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
        }
    }
}
