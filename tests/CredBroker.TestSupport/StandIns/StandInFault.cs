namespace CredBroker.TestSupport.StandIns;

/// <summary>How a target misbehaves. What it did beside that is for the stand-in to say.</summary>
public abstract record StandInFault
{
    private StandInFault()
    {
    }

    /// <summary>It answers this instead, and does nothing: a throttle, a denial, a server error, a proxy's page, garbage.</summary>
    public sealed record Answers(StandInAnswer Answer) : StandInFault
    {
        /// <summary>429 that says how long to wait.</summary>
        public static Answers Throttle(int retryAfterSeconds) =>
            new(StandInAnswer.Empty(429).With("Retry-After", retryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>It does nothing, and answers what depends on what it was asked: an error that quotes it.</summary>
    public sealed record Quotes(Func<StandInRequest, StandInAnswer> Answer) : StandInFault;

    /// <summary>It does what it was asked, and answers this instead.</summary>
    public sealed record ActsAndAnswers(StandInAnswer Answer) : StandInFault;

    /// <summary>It does what it was asked, and the connection breaks before the answer.</summary>
    public sealed record LosesAnswer : StandInFault;

    /// <summary>The connection breaks before it does anything.</summary>
    public sealed record LosesRequest : StandInFault;

    /// <summary>It does nothing and never answers.</summary>
    public sealed record Hangs : StandInFault;

    /// <summary>It does what it was asked, and never answers.</summary>
    public sealed record ActsAndHangs : StandInFault;

    /// <summary>It acts only once its clock has moved on by this much, whether the caller still waits or not: a late effect.</summary>
    public sealed record ActsLate(TimeSpan After) : StandInFault;

    /// <summary>It acts at once, and answers once its clock, or the one given here, has moved on by this much.</summary>
    public sealed record AnswersLate(TimeSpan After, TimeProvider? Clock = null) : StandInFault;
}

/// <summary>Which requests meet which fault. Safe for concurrent use.</summary>
public sealed class StandInFaults
{
    private readonly Lock _lock = new();
    private readonly List<Rule> _rules = [];

    /// <summary>The next requests that match (all, if none is given) meet this fault.</summary>
    public void Next(StandInFault fault, Func<StandInRequest, bool>? matching = null, int times = 1) => Add(new Rule(fault, matching ?? (_ => true), times));

    /// <summary>Every request that matches meets this fault until <see cref="Clear"/>.</summary>
    public void Always(StandInFault fault, Func<StandInRequest, bool>? matching = null) => Add(new Rule(fault, matching ?? (_ => true), int.MaxValue));

    /// <summary>All is well again.</summary>
    public void Clear()
    {
        lock (_lock) _rules.Clear();
    }

    internal StandInFault? Take(StandInRequest request)
    {
        lock (_lock)
        {
            var rule = _rules.FirstOrDefault(candidate => candidate.Left > 0 && candidate.Matching(request));
            if (rule is null) return null;
            if (rule.Left != int.MaxValue) rule.Left--;
            return rule.Fault;
        }
    }

    private void Add(Rule rule)
    {
        lock (_lock) _rules.Add(rule);
    }

    private sealed class Rule(StandInFault fault, Func<StandInRequest, bool> matching, int left)
    {
        public StandInFault Fault { get; } = fault;

        public Func<StandInRequest, bool> Matching { get; } = matching;

        public int Left { get; set; } = left;
    }
}
