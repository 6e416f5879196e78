namespace CredBroker.Core.Diagnosis;

/// <summary>How much it matters.</summary>
public enum Severity
{
    /// <summary>It works, and will soon not, or somebody should know.</summary>
    Notice = 1,

    /// <summary>Something does not get done.</summary>
    Warning = 2,

    /// <summary>A promise is in danger until somebody acts.</summary>
    Critical = 3,
}

/// <summary>One thing that is wrong, in words for whoever runs the broker.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Code">A short stable name, such as <c>revocation-failing</c>: for machines.</param>
/// <param name="Subject">What it is about: a resource name, or a part of the broker.</param>
/// <param name="What">What is wrong, in one or two sentences.</param>
/// <param name="Remedy">What to do, where possible a command to copy.</param>
public sealed record Ailment(Severity Severity, string Code, string Subject, string What, string Remedy);

/// <summary>One part of the broker that can say what is wrong with it. Each is asked by itself, so that one that fails hides none of the others.</summary>
public interface IExamination
{
    /// <summary>What it looks at, for when it fails.</summary>
    string Name { get; }

    /// <summary>Looks now. It changes nothing, and asks no target.</summary>
    Task<IReadOnlyList<Ailment>> LookAsync(CancellationToken cancellationToken);
}
