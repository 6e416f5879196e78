namespace CredBroker.Cedar.Tests.Formatting;

internal sealed class PolicyFormatterTests
{
    [Test]
    public void Lays_out_what_does_not_fit_and_keeps_every_comment()
    {
        const string Given = """
            // Who may read.


            // Teams.
            @id("a")@b permit(principal in Team::"core",action==Action::"read",resource)when{true}; // done
            forbid(principal,action,resource // all of them
            ) unless { // but
              principal.aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbb == context.cccccccccccccccccc&&[1,2,].contains(- 3)||!(if context has d.e then-1 else 2)!= 2 };
            permit(principal is A in B::"x", action in [Action::"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Action::"b"], resource) when { {a:1,"b c":[]} == context };
            // The end.
            """;
        const string Expected = """
            // Who may read.

            // Teams.
            @id("a")
            @b
            permit (principal in Team::"core", action == Action::"read", resource)
            when { true }; // done

            forbid (
              principal,
              action,
              resource // all of them
            )
            unless { // but
              principal.aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbb ==
                context.cccccccccccccccccc &&
              [1, 2].contains(-3) ||
              !(if context has d.e then -1 else 2) != 2
            };

            permit (
              principal is A in B::"x",
              action in [Action::"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Action::"b"],
              resource
            )
            when { {a: 1, "b c": []} == context };
            // The end.

            """;
        Assert.That(Format(Given), Is.EqualTo(Expected));
        Assert.That(Format(Expected), Is.EqualTo(Expected));
    }

    [TestCase("")]
    [TestCase("// Nothing yet.\n")]
    [TestCase("permit (principal, action, resource);\n")]
    public void Leaves_alone(string text) => Assert.That(Format(text), Is.EqualTo(text));

    [Test]
    public void Reports_what_is_wrong_instead() => Assert.That(PolicyFormatter.Format("permit(", "p").Errors.Single().ToString(), Does.StartWith("p:1:8: expected 'principal'"));

    [Test]
    public void Changes_nothing_but_space_in_the_corpus()
    {
        var corpus = Conformance.Corpus.Available().First();
        foreach (var file in Directory.EnumerateFiles(corpus.Folder.Value, "*.cedar", SearchOption.AllDirectories))
        {
            var once = Format(File.ReadAllText(file));
            Assert.That(Format(once), Is.EqualTo(once), file);
            Assert.That(once.Split('\n').Max(l => l.Length), Is.LessThan(4_000));
        }
    }

    [TestCase("permit // a\n ( // b\n principal // c\n , // d\n action // e\n , resource // f\n , // g\n ) // h\n when // i\n { // j\n // k\n [ // l\n 1 // m\n , // n\n ] // o\n . // p\n contains // q\n ( // r\n 1 // s\n ) // t\n } // u\n ; // v\n// w")]
    [TestCase("@a // a\n ( // b\n \"x\" // c\n ) // d\n permit(principal, action, resource) when { if // e\n true // f\n then // g\n 1 // h\n else // i\n 2 // j\n == 3 && // k\n true // l\n || ! // m\n false };")]
    public void Keeps_comments_wherever_they_stand(string text)
    {
        var formatted = Format(text);
        Assert.That(Comments(formatted), Is.EquivalentTo(Comments(text)));
        Assert.That(Format(formatted), Is.EqualTo(formatted));
    }

    private static IEnumerable<string> Comments(string text) => text.Split('\n').Where(l => l.Contains("//", StringComparison.Ordinal)).Select(l => l[l.IndexOf("//", StringComparison.Ordinal)..].Trim());

    private static string Format(string text) => PolicyFormatter.Format(text).OrThrow();
}
