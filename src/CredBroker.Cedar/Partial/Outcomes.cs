namespace CredBroker.Cedar;

/// <summary>What may come of evaluating an expression, once everything is known.</summary>
[Flags]
internal enum Outcomes : byte
{
    None = 0,
    True = 1,
    False = 2,

    /// <summary>A value that is no Bool.</summary>
    Other = 4,
    Error = 8,

    AnyBool = True | False,
    AnyBoolOrError = AnyBool | Error,
    Anything = AnyBool | Other | Error,
}

internal static class OutcomesExtensions
{
    /// <summary>What may come of it where a Bool is needed: anything else is an error there.</summary>
    public static Outcomes AsBool(this Outcomes outcomes) =>
        (outcomes & Outcomes.Other) == 0 ? outcomes : (outcomes & ~Outcomes.Other) | Outcomes.Error;

    public static bool Has(this Outcomes outcomes, Outcomes one) => (outcomes & one) != 0;

    public static Outcomes Negated(this Outcomes outcomes) => (outcomes.AsBool() & Outcomes.Error)
        | (outcomes.Has(Outcomes.True) ? Outcomes.False : 0) | (outcomes.Has(Outcomes.False) ? Outcomes.True : 0);

    public static Outcomes Of(CedarValue? value) => value switch
    {
        null => Outcomes.Error,
        CedarBool b => b.Value ? Outcomes.True : Outcomes.False,
        _ => Outcomes.Other,
    };
}
