import TestKit
import Testing

@testable import Agent

@Suite struct SyslogFramerTests {
    private struct Framed: Equatable {
        var texts: [String] = []
        var cut: [Int] = []
        var isBroken = false
        /// Whether what came last was whole when the sender closed.
        var endsWhole = true
    }

    /// The stream in pieces of so many bytes.
    private func frame(_ text: String, pieces: Int = .max, bytesMax: Int = 100, linesOnly: Bool = false) -> Framed {
        var framer = SyslogFramer(bytesMax: bytesMax, linesOnly: linesOnly)
        var framed = Framed()
        func take(_ message: UnsafeRawBufferPointer, _ piece: SyslogFramer.Piece) {
            framed.texts.append(String(decoding: message, as: UTF8.self))
            if case .cut(let count) = piece { framed.cut.append(count) }
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            Array(rest.prefix(pieces)).withUnsafeBytes { framer.received($0, take) }
            #expect(framer.heldBytes <= bytesMax)
            rest = rest.dropFirst(pieces)
        }
        framed.endsWhole = framer.ended(take)
        framed.isBroken = framer.isBroken
        return framed
    }

    @Test(arguments: [1, 2, 3, 7, 1000]) func bothFramingsInOneStream(pieces: Int) {
        let framed = frame("<13>one\n7 <13>two<13>three\r\n\n12 <13>fo\nur\n\n\n<13>five", pieces: pieces)
        #expect(framed == Framed(texts: ["<13>one", "<13>two", "<13>three", "<13>fo\nur", "<13>five"]))
    }

    @Test(arguments: [1, 5, 1000]) func longMessagesAreCutAndTheNextIsFound(pieces: Int) {
        let long = String(repeating: "x", count: 250)
        let framed = frame("\(long)\n250 \(long)<1>b\n", pieces: pieces)
        #expect(framed.texts == [String(long.prefix(100)), String(long.prefix(100)), "<1>b"])
        #expect(framed.cut == [250, 250])
        let exact = String(repeating: "y", count: 100)
        #expect(frame("\(exact)\n100 \(exact)", pieces: pieces) == Framed(texts: [exact, exact]))
    }

    @Test func aCountThatIsNoneBreaksTheConnection() {
        #expect(frame("<1>a\n12x <1>b").isBroken)
        #expect(frame("1234567890 x").isBroken, "a count of ten digits")
        #expect(frame("<1>a\n12x <1>b").texts == ["<1>a"])
        #expect(frame("0 x\n").texts == ["0 x"], "no count begins with a zero")
    }

    @Test func whatIsNotWholeAtTheEnd() {
        #expect(frame("20 <13>shor") == Framed(texts: [], endsWhole: false))
        #expect(frame("2") == Framed(texts: [], endsWhole: false))
        #expect(frame("<13>no newline") == Framed(texts: ["<13>no newline"]))
    }

    @Test(arguments: [1, 4, 1000]) func linesOfStandardInputAreLeftAsTheyAre(pieces: Int) {
        let framed = frame("12 a\n\nb\r\nlast", pieces: pieces, linesOnly: true)
        #expect(framed == Framed(texts: ["12 a", "", "b\r", "last"]))
    }

    @Test func aSeededStreamComesOutAsItWentIn() {
        for seed in UInt64(0)..<300 {
            var random = SeededRandom(seed: seed)
            var (stream, texts) = ("", [String]())
            for number in 0..<20 {
                let text = "<13>m\(number)" + String(repeating: "z", count: .random(in: 0...60, using: &random))
                texts.append(text)
                stream += random.oneIn(2) ? "\(text.utf8.count) \(text)" : text + "\n"
            }
            #expect(frame(stream, pieces: .random(in: 1...80, using: &random)) == Framed(texts: texts), "seed \(seed)")
        }
    }
}
