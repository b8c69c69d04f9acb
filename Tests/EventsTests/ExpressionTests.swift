import Base
import Events
import Testing

@Suite struct ExpressionTests {
    private static let event = Event([
        Field("status", .int(404)), Field("request_time", .double(0.5)),
        Field("request", .string("GET /login HTTP/1.1")),
        Field("remote_user", .null), Field("time_local", .timestamp(Timestamp(milliseconds: 1_795_330_801_000))),
        Field("http", .object([Field("method", .string("GET"))])), Field("odd name", .bool(true)),
        Field("tags", .list([.int(1), .int(2)])),
    ])

    @Test(arguments: [
        "status == 404", "status != 500", "status >= 404 and status <= 404", "status > 403.5", "request_time < 1",
        "not status == 500", "status in [200, 404]", "status not in [200, 301]", "request contains 'login'",
        "contains(request, 'login')", "request startsWith \"GET\"", "endsWith(request, '1.1')", "exists(status)",
        "not exists(remote_user)", "not exists(nothing)", "not (remote_user == 'x')", "http.method == 'GET'",
        "`odd name`", "`odd name` == true", "lower(http.method) == 'get'", "length(request) == 19", "length(tags) == 2",
        "time_local >= '2026-11-22T07:00:01Z'", "time_local < '2026-11-22 08:00:00'", "false or true and true",
        "true or true and false", "(status == 1 or status == 404) and request_time > 0.1", "-1 < 1", "status == 4_04",
        "status != 'x'", "sample(1)", "not not `odd name`", "request contains ''",
    ])
    func holds(text: String) throws {
        #expect(try Expression(text).matches(Self.event, recordHash: 1))
    }

    @Test(arguments: [
        "remote_user == 'x'", "remote_user != 'x'", "nothing < 1", "nothing > 1", "nothing in [1]",
        "nothing not in [1]",
        "status == '404'", "status < '5'", "nothing contains 'x'", "http.nothing.more == 1", "status.x == 1",
        "request == 1",
        "(true or true) and false", "not `odd name`", "status", "nothing", "request > 'Z'",
    ])
    func doesNotHold(text: String) throws {
        #expect(try !Expression(text).matches(Self.event, recordHash: 1))
    }

    @Test(arguments: [
        ("", 1, "empty"), ("status =", 8, "write =="),
        ("status == ", 11, "a value or a field is wanted here, not the end"),
        ("status == 1 status", 13, "'and', 'or' or the end"), ("(status == 1", 13, "closing )"),
        ("status == null", 8, "exists"),
        ("smaple(0.1)", 1, "did you mean 'sample'?"), ("sample(2)", 8, "share above 0"),
        ("sample(status)", 8, "share above 0"),
        ("exists(a, b)", 1, "one argument"), ("status in 5", 11, "a list such as"),
        ("status in [a]", 12, "values, not fields"),
        ("1 < 2 < 3", 7, "chained"), ("'abc", 1, "never closed"), ("a && b", 3, "'and'"), ("a || b", 3, "'or'"),
        ("!a", 1, "'not'"),
        ("5", 1, "condition"), ("status == 1 and 'x'", 17, "condition"), ("a == #", 6, "means nothing"),
        ("1x == 2", 1, "no number"),
        ("and", 1, "not 'and'"), ("a..b == 1", 1, "is no field"), ("'\\q' == a", 2, "no such escape"),
    ])
    func errorsPointAtThePlace(text: String, column: Int, message: String) {
        let error = #expect(throws: ExpressionError.self) { try Expression(text) }
        #expect(error?.column == column)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("stauts == 404", 1, "no field 'stauts'; did you mean 'status'?"),
        ("status == 'x'", 8, "an int can't be compared"),
        ("request < 5", 9, "can't be compared"), ("time_local > 'yesterday'", 14, "a time such as"),
        ("status contains '4'", 1, "string"),
        ("status and true", 1, "condition"),
    ])
    func knownFieldsAreChecked(text: String, column: Int, message: String) {
        let error = #expect(throws: ExpressionError.self) {
            try Expression(text, fields: NginxLineParser.combined.fields)
        }
        #expect(error?.column == column)
        #expect(error?.message.contains(message.replacingFirst("an int", "int")) == true, "\(error?.message ?? "")")
    }

    @Test func depthIsLimited() {
        let text = String(repeating: "(", count: 2000) + "a" + String(repeating: ")", count: 2000)
        #expect(throws: ExpressionError.self) { try Expression(text) }
    }

    @Test func aSampleIsAShareAndAlwaysTheSame() throws {
        let expression = try Expression("sample(0.1)")
        let taken = { (partition: Int32) in
            (0..<20_000).filter {
                expression.matches(Event(), recordHash: RecordHash.of(partition: partition, offset: $0))
            }
        }
        #expect(1_800...2_200 ~= taken(0).count)
        #expect(taken(0) == taken(0))
        #expect(taken(0) != taken(1))
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, _ other: String) -> String {
        hasPrefix(part) ? other + dropFirst(part.count) : self
    }
}
