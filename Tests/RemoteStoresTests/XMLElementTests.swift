import Testing

@testable import RemoteStores

@Suite struct XMLElementTests {
    @Test func elementsTextAndEntities() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <s3:List xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/" a='1'>
              <Key>a&amp;b&#32;&lt;é</Key><Key/><!-- no --><Entry><Key><![CDATA[x<y]]></Key></Entry>
            </s3:List>
            """
        let root = try #require(XMLElement(Array(text.utf8)))
        #expect(root.name == "List")
        #expect(root.text("Key") == "a&b <é")
        #expect(root.children("Key").map(\.text) == ["a&b <é", ""])
        #expect(root.children("Entry").first?.text("Key") == "x<y")
        #expect(root.text("Size") == nil)
    }

    @Test(arguments: ["", "x", "<a>", "<a></b>", "<a></a><b></b>", "<a>&nothing;</a>", "<a>\u{1}</a>"])
    func whatIsNoXMLIsNothing(text: String) { #expect(XMLElement(Array(text.utf8)) == nil) }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)).utf8)
        }
        #expect(XMLElement(nested(XMLElement.depthMax)) != nil)
        #expect(XMLElement(nested(XMLElement.depthMax + 1)) == nil)
        #expect(XMLElement(nested(100_000)) == nil)
    }
}
