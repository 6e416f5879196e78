namespace CredBroker.Cedar;

/// <summary>What one decision may cost.</summary>
public static class EvaluationLimits
{
    /// <summary>
    /// The steps that one decision may take unless an <see cref="Authorizer"/> is told otherwise. A step is one node of an expression, or as much work as that:
    /// comparing two large values takes as many steps as they have parts.
    /// </summary>
    public const long MaxSteps = 10_000_000;
}
