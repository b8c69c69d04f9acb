import Base
import TestKit
import Testing

@testable import GroupCoordination

@Suite struct ConsumerAssignorTests {
    private static let a = TopicID(high: 0, low: 1)
    private static let b = TopicID(high: 0, low: 2)

    private static func readers(
        _ topics: [String: Set<TopicID>], current: [String: MemberAssignment] = [:]
    ) -> [ConsumerAssignor.Reader] {
        topics.map { id, topics in
            ConsumerAssignor.Reader(
                memberID: id, instanceID: nil, topics: topics, current: current[id] ?? MemberAssignment())
        }
    }

    private static func sizes(_ assigned: [String: MemberAssignment]) -> [Int] {
        assigned.sorted { $0.key < $1.key }.map(\.value.count)
    }

    @Test func rangesOfSeveralTopicsLieSideBySide() {
        let assigned = ConsumerAssignor.range.assign(
            [Self.a: 5, Self.b: 5], to: Self.readers(["x": [Self.a, Self.b], "y": [Self.a, Self.b]]))
        #expect(assigned["x"] == MemberAssignment([Self.a: [0, 1, 2], Self.b: [0, 1, 2]]))
        #expect(assigned["y"] == MemberAssignment([Self.a: [3, 4], Self.b: [3, 4]]))
    }

    @Test func staticMembersKeepTheirRangeUnderANewID() {
        func assign(_ id: String) -> MemberAssignment? {
            let readers = [(id, "i"), ("m", nil)].map {
                ConsumerAssignor.Reader(
                    memberID: $0.0, instanceID: $0.1, topics: [Self.a], current: MemberAssignment())
            }
            return ConsumerAssignor.range.assign([Self.a: 4], to: readers)[id]
        }
        #expect(assign("a") == assign("z"))
    }

    @Test func uniformIsEvenOverTopics() {
        let assigned = ConsumerAssignor.uniform.assign(
            [Self.a: 1, Self.b: 4], to: Self.readers(["x": [Self.a, Self.b], "y": [Self.a, Self.b]]))
        #expect(Self.sizes(assigned) == [3, 2])
    }

    @Test func uniformMovesNoMoreThanItMust() {
        let all: [String: Set<TopicID>] = ["x": [Self.a], "y": [Self.a]]
        let before = ConsumerAssignor.uniform.assign([Self.a: 6], to: Self.readers(all))
        let after = ConsumerAssignor.uniform.assign(
            [Self.a: 6], to: Self.readers(all.merging(["w": [Self.a]]) { $1 }, current: before))
        #expect(Self.sizes(after) == [2, 2, 2])
        for id in ["x", "y"] { #expect(after[id]?.isSubset(of: before[id] ?? MemberAssignment()) == true) }
        let again = ConsumerAssignor.uniform.assign(
            [Self.a: 6], to: Self.readers(all.merging(["w": [Self.a]]) { $1 }, current: after))
        #expect(again == after)
    }

    @Test func whoReadsMoreTopicsLeavesTheSharedOnesToOthers() {
        let assigned = ConsumerAssignor.uniform.assign(
            [Self.a: 4, Self.b: 4],
            to: Self.readers(
                ["x": [Self.a, Self.b], "y": [Self.a]], current: ["x": MemberAssignment([Self.a: [0, 1, 2, 3]])]))
        #expect(assigned["x"] == MemberAssignment([Self.b: [0, 1, 2, 3]]))
        #expect(assigned["y"] == MemberAssignment([Self.a: [0, 1, 2, 3]]))
    }

    @Test(arguments: ConsumerAssignor.allCases, 0..<40)
    func everyPartitionGoesToOneReader(_ assignor: ConsumerAssignor, seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let counts = Dictionary(
            uniqueKeysWithValues: (0..<Int.random(in: 1...4, using: &random)).map {
                (TopicID(high: 7, low: UInt64($0)), Int32.random(in: 0...9, using: &random))
            })
        var current: [String: MemberAssignment] = [:]
        for _ in 0..<4 {
            var subscriptions: [String: Set<TopicID>] = [:]
            for number in 0..<Int.random(in: 1...6, using: &random) {
                subscriptions["m\(number)"] = counts.keys.sorted().reduce(into: Set<TopicID>()) { topics, topic in
                    if Bool.random(using: &random) { topics.insert(topic) }
                }
            }
            let assigned = assignor.assign(counts, to: Self.readers(subscriptions, current: current))
            for (topic, count) in counts {
                let mayRead = subscriptions.filter { $0.value.contains(topic) }.map(\.key)
                for partition in 0..<count {
                    let owners = assigned.filter { $0.value.contains(topic, partition) }.map(\.key)
                    #expect(owners.count == (mayRead.isEmpty ? 0 : 1))
                    #expect(Set(owners).isSubset(of: mayRead))
                }
            }
            let isHomogeneous = Set(subscriptions.values).count == 1
            if assignor == .uniform, isHomogeneous {
                let sizes = Self.sizes(assigned)
                #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
            }
            current = assigned
        }
    }
}

@Suite struct TopicPatternTests {
    @Test(arguments: [
        ("logs", "logs", true), ("logs", "logs.a", false), ("logs.*", "logs.a", true), ("logs\\.[ab]", "logs.a", true),
        ("logs\\.[^ab]", "logs.a", false), ("(a|b)+c?", "abba", true), ("(?:ab){2,3}", "abab", true),
        ("(?:ab){2,3}", "abababab", false), ("a{2}", "aa", true), ("a{2,}", "aaaa", true), ("a{2,}", "a", false),
        ("^logs$", "logs", true), ("a^b", "ab", false), ("\\Qa.b\\E.*", "a.bc", true), ("\\Qa.b\\E.*", "axbc", false),
        ("\\d+\\w\\S", "12a-", true), ("(?i)LoGs\\.[a-c]", "lOgS.B", true), ("", "", true), ("|x", "x", true),
        ("[]a]+", "a", true), ("[a-]+", "a-", true), ("a*?b", "aab", true), ("(a*)*b", "aaab", true),
        ("x{", "x{", true),
        ("\\Alogs\\z", "logs", true), ("é.*", "logs", false),
    ])
    func matchesAsRE2Does(_ pattern: String, name: String, matches: Bool) throws {
        #expect(try TopicPattern(pattern).matches(name) == matches)
    }

    @Test(arguments: [
        "(", ")", "a)", "[a", "*a", "a**", "a{3,2}", "a{1001}", "\\", "\\p", "(?=a)", "[b-a]", "[[:alpha:]]",
        "(?P<n>a)",
        "((a{1000}){1000}){1000}", "((){1000}){1000}",
    ])
    func whatCanNotBeReadIsRefused(_ pattern: String) {
        #expect(throws: TopicPattern.Fault.self) { try TopicPattern(pattern) }
    }

    @Test func groupsLieOnlySoDeep() {
        #expect(throws: TopicPattern.Fault.self) {
            try TopicPattern(String(repeating: "(", count: 100) + String(repeating: ")", count: 100))
        }
        #expect(throws: TopicPattern.Fault.self) { try TopicPattern(String(repeating: "a", count: 5000)) }
    }

    /// A matcher that tries again would need 2²⁵⁰ steps.
    @Test func noPatternTakesForEver() throws {
        let name = String(repeating: "a", count: 249)
        #expect(try !TopicPattern("(a*)*(a|a)*(a?){50}b").matches(name))
    }
}
