import AgentCommands

@main
struct Entry {
    static func main() async { await CommandEntry.main(MillraceAgent.self) }
}
