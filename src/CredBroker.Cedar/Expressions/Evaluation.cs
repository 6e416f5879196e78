namespace CredBroker.Cedar.Expressions;

/// <summary>One evaluation: what the expressions can see, what it has cost, and the first error.</summary>
internal sealed class Evaluation(Request request, EntityStore entities, long maxSteps)
{
    private Diagnostic? _error;
    private long _steps;

    public Request Request { get; } = request;

    public EntityStore Entities { get; } = entities;

    public bool IsExhausted { get; private set; }

    /// <summary>Pays for work before it is done; false after the error that it is too much.</summary>
    public bool Pay(SourceLocation at, long steps)
    {
        if (maxSteps - _steps >= steps)
        {
            _steps += steps;
            return true;
        }
        (_steps, IsExhausted) = (maxSteps, true);
        _error = new Diagnostic(at, $"the decision takes more than {maxSteps} steps");
        return false;
    }

    public CedarBool? Bool(Expr expr)
    {
        var value = expr.Evaluate(this);
        return value is CedarBool or null ? (CedarBool?)value : WrongType(expr, "Bool", value);
    }

    public CedarBool? Fail(Expr at, string message) => Fail<CedarBool>(at, message);

    public T? Fail<T>(Expr at, string message) where T : CedarValue
    {
        _error = new Diagnostic(at.Location, message);
        return null;
    }

    public CedarBool? WrongType(Expr at, string expected, CedarValue found) => WrongType<CedarBool>(at, expected, found);

    public T? WrongType<T>(Expr at, string expected, CedarValue found) where T : CedarValue =>
        Fail<T>(at, $"expected {expected}, found {found.TypeName}");

    /// <summary>The error of the policy that just failed.</summary>
    public Diagnostic TakeError() => _error ?? throw new InvalidOperationException("no evaluation failed");
}
