namespace CredBroker.Cedar.Tests.Text;

internal sealed class DiagnosticTests
{
    [Test]
    public void Shows_every_error_with_its_line_and_carets()
    {
        const string Text = """
            permit(principal, action, resurce);
            permit(principal, action, resource)
            when	{ context.x = 1 };
            forbid(principal, action, resource) when { 1 +  };
            """;
        var errors = PolicySet.Parse(Text, "p.cedar").Errors;
        Assert.That(string.Join('\n', errors.Select(e => e.Show(Text))), Is.EqualTo("""
            p.cedar:1:27: expected 'resource', found 'resurce'
             1 | permit(principal, action, resurce);
               |                           ^^^^^^^
            p.cedar:3:18: '=' is no operator; equality is '=='
             3 | when { context.x = 1 };
               |                  ^
            p.cedar:4:49: expected an expression, found '}'
             4 | forbid(principal, action, resource) when { 1 +  };
               |                                                 ^
            """));
    }

    [Test]
    public void Shows_only_a_part_of_a_long_line()
    {
        var text = $"permit(principal, action, resource) when {{ \"{new string('x', 1_000)}\" = 1 }};";
        var shown = PolicySet.Parse(text).Errors.Single().Show(text).Split('\n');
        Assert.That(shown.Max(l => l.Length), Is.LessThan(140));
        Assert.That(shown[1][shown[2].IndexOf('^', StringComparison.Ordinal)], Is.EqualTo('='));
    }

    [Test]
    public void Shows_nothing_that_a_terminal_obeys()
    {
        const string Text = "permit(principal, action, resource) when { \"\u001b[2J\u202e\" = 1 };";
        Assert.That(PolicySet.Parse(Text).Errors.Single().Show(Text), Has.None.Matches<char>(c => (char.IsControl(c) && c != '\n') || c == '\u202e'));
    }

    [TestCase(0, 0)]
    [TestCase(99, 1)]
    [TestCase(1, 99)]
    public void Never_fails_on_a_place_that_is_not_there(int line, int column) =>
        Assert.That(new Diagnostic(new SourceLocation("", line, column), "x") { Length = 50 }.Show("a\nb"), Does.Contain("x"));
}
