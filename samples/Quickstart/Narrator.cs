namespace Quickstart;

/// <summary>Tells what happens, step by step, and holds each step to what it said.</summary>
internal sealed class Narrator(TextWriter output)
{
    private int _step;

    public void Step(string what)
    {
        output.WriteLine();
        output.WriteLine($"{++_step}. {what}");
    }

    public void Say(string text) => output.WriteLine($"   {text}");

    /// <summary>What must be so, or the quickstart has failed.</summary>
    public void Expect(bool holds, string what)
    {
        if (!holds) throw new QuickstartException($"This should have been so, and was not: {what}");
        output.WriteLine($"   ok: {what}");
    }
}

/// <summary>A step did not do what it said.</summary>
internal sealed class QuickstartException(string message) : Exception(message);
