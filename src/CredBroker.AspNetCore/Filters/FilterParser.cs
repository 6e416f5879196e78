using CredBroker.AspNetCore.Errors;
using CredBroker.AspNetCore.Validation;
using CredBroker.Contracts.V1;

namespace CredBroker.AspNetCore.Filters;

/// <summary>One condition of a filter: a field, how it is compared, and with what. More than one value are alternatives.</summary>
public sealed record FilterTerm(string Field, string Operator, IReadOnlyList<string> Values);

/// <summary>
/// Reads the part of AIP-160 that the broker's lists use: conditions on named fields, joined by AND, with alternatives of one field in parentheses.
/// What it can't do it refuses by name, instead of returning too much.
/// </summary>
public static class FilterParser
{
    /// <summary>The conditions, all of which must hold; none for an empty filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="fields">The fields that it may name. A name that ends in <c>.*</c> allows all below it.</param>
    /// <exception cref="Grpc.Core.RpcException">The filter can't be read, or names another field.</exception>
    public static IReadOnlyList<FilterTerm> Parse(string filter, IReadOnlyList<FilterField> fields)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(fields);
        if (string.IsNullOrWhiteSpace(filter)) return [];
        var tokens = new FilterTokens(filter);
        var terms = new List<FilterTerm>();
        do terms.Add(Factor(tokens, fields));
        while (tokens.TakeWord("AND") || !tokens.AtEnd);
        if (terms.GroupBy(term => (term.Field, term.Operator)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw FilterFault.At(0, $"{Printable.Quote(twice.Key.Field)} is compared twice by {twice.Key.Operator}.");
        return terms;
    }

    private static FilterTerm Factor(FilterTokens tokens, IReadOnlyList<FilterField> fields)
    {
        var group = tokens.Take("(");
        var start = tokens.Position;
        var alternatives = new List<FilterTerm>();
        do alternatives.Add(Comparison(tokens, fields));
        while (tokens.TakeWord("OR"));
        if (group && !tokens.Take(")")) throw FilterFault.At(tokens.Position, "A closing parenthesis is missing, or something stands before it that isn't OR.");
        if (alternatives.Count == 1) return alternatives[0];
        if (alternatives.Any(term => term.Field != alternatives[0].Field || term.Operator != "="))
            throw FilterFault.At(start, "OR joins only values of one field by =.");
        return new FilterTerm(alternatives[0].Field, "=", [.. alternatives.SelectMany(term => term.Values).Distinct()]);
    }

    private static FilterTerm Comparison(FilterTokens tokens, IReadOnlyList<FilterField> fields)
    {
        var start = tokens.Position;
        var name = tokens.TakeName() ?? throw FilterFault.At(start, $"A field is missing: one of {Names(fields)}.");
        var field = fields.FirstOrDefault(f => f.Takes(name)) ?? throw FilterFault.At(start, $"{Printable.Quote(name)} can't be filtered by; {Names(fields)} can.");
        var operatorAt = tokens.Position;
        var comparison = tokens.TakeOperator() ?? throw FilterFault.At(operatorAt, $"{name} needs a comparison: one of {string.Join(' ', field.Operators)}.");
        if (!field.Operators.Contains(comparison)) throw FilterFault.At(operatorAt, $"{name} can be compared by {string.Join(' ', field.Operators)} alone.");
        var valueAt = tokens.Position;
        var value = tokens.TakeValue() ?? throw FilterFault.At(valueAt, $"{name} needs a value.");
        return field.Accepts(value) ? new FilterTerm(name, comparison, [value]) : throw FilterFault.At(valueAt, $"The value is not {field.Expected}.");
    }

    private static string Names(IReadOnlyList<FilterField> fields) => string.Join(", ", fields.Select(field => field.Name));
}

/// <summary>A filter that can't be used.</summary>
internal static class FilterFault
{
    public static Grpc.Core.RpcException At(int position, string message) => ErrorStatus.Exception(
        ErrorStatus.Error(ErrorReason.FilterInvalid, $"The filter cannot be used: character {position + 1}: {message}", [new("filter", $"Character {position + 1}: {message}")]));
}
