using System.Collections.Immutable;
using System.Globalization;
using CredBroker.Cedar.Expressions;
using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>Reads policies: annotations, scope and conditions. After an error it goes on behind the next semicolon.</summary>
internal sealed class PolicyParser(string text, string file, string idPrefix) : ExpressionParser(text, file)
{
    public Parsed<PolicySet> Parse()
    {
        var policies = ImmutableArray.CreateBuilder<Policy>();
        for (var number = 0; !Is(TokenKind.End) && !Diagnostics.IsFull; number++)
        {
            if (number == TextLimits.MaxPolicies)
            {
                Diagnostics.Add(At(Current), $"the text has more than {TextLimits.MaxPolicies} policies");
                break;
            }
            try
            {
                policies.Add(ParsePolicy(idPrefix + number.ToString(CultureInfo.InvariantCulture)));
            }
            catch (ParseAbort)
            {
                Recover();
            }
        }
        return Diagnostics.IsEmpty ? new(new PolicySet(policies.DrainToImmutable())) : new(Diagnostics.ToSorted());
    }

    private Policy ParsePolicy(string id)
    {
        var start = Current;
        var annotations = ParseAnnotations();
        var effect = ParseEffect();
        Expect(TokenKind.OpenParen, "'('");
        var principal = ParseEntityScope("principal");
        Expect(TokenKind.Comma, "','");
        var action = ParseActionScope();
        Expect(TokenKind.Comma, "','");
        var resource = ParseEntityScope("resource");
        Accept(TokenKind.Comma);
        Expect(TokenKind.CloseParen, "')'");
        var conditions = ImmutableArray.CreateBuilder<PolicyCondition>();
        while (!Is(TokenKind.Semicolon))
            conditions.Add(ParseCondition());
        var end = Advance();
        return new Policy
        {
            Id = id,
            Effect = effect,
            Annotations = annotations,
            Principal = principal,
            Action = action,
            Resource = resource,
            Conditions = conditions.DrainToImmutable(),
            Location = At(start),
            Text = Source[start.Start..end.End],
        };
    }

    private ImmutableArray<Annotation> ParseAnnotations()
    {
        var annotations = ImmutableArray.CreateBuilder<Annotation>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (Is(TokenKind.At))
        {
            var at = Advance();
            var name = Expect(TokenKind.Identifier, "an annotation's name");
            var value = "";
            if (Accept(TokenKind.OpenParen))
            {
                value = Unquote(Expect(TokenKind.String, "a string"));
                Expect(TokenKind.CloseParen, "')'");
            }
            var annotation = new Annotation(TextOf(name), value, At(at));
            if (!names.Add(annotation.Name))
                Diagnostics.Add(annotation.Location, $"the annotation @{annotation.Name} is repeated");
            annotations.Add(annotation);
        }
        return annotations.DrainToImmutable();
    }

    private Effect ParseEffect()
    {
        if (AcceptWord("permit"))
            return Effect.Permit;
        return AcceptWord("forbid") ? Effect.Forbid : throw Unexpected("'permit' or 'forbid'");
    }

    private EntityScope ParseEntityScope(string variable)
    {
        if (!AcceptWord(variable))
            throw Unexpected($"'{variable}'");
        if (Accept(TokenKind.Equal))
        {
            var at = At(Current);
            return new EntityScope.Equal(ParseReference(variable), at);
        }
        if (AcceptWord("in"))
        {
            var at = At(Current);
            return new EntityScope.In(ParseReference(variable), at);
        }
        if (AcceptWord("is"))
            return ParseTypeScope(variable);
        return Is(TokenKind.Comma) || Is(TokenKind.CloseParen)
            ? new EntityScope.Any()
            : throw Unexpected("'==', 'in', 'is', ',' or ')'");
    }

    private EntityScope ParseTypeScope(string variable)
    {
        var at = At(Current);
        var type = ParsePath("an entity type");
        if (!AcceptWord("in"))
            return new EntityScope.Is(type, at);
        var entityAt = At(Current);
        return new EntityScope.IsIn(type, at, ParseReference(variable), entityAt);
    }

    // Null stands for the slot.
    private EntityUid? ParseReference(string variable)
    {
        if (!Is(TokenKind.Slot))
            return ParseEntityUid();
        var slot = Advance();
        return SpanOf(slot)[1..].SequenceEqual(variable)
            ? null
            : throw Fail(slot, $"the slot of the {variable} is ?{variable}");
    }

    private ActionScope ParseActionScope()
    {
        if (!AcceptWord("action"))
            throw Unexpected("'action'");
        if (Accept(TokenKind.Equal))
        {
            var at = At(Current);
            return new ActionScope.Equal(ParseAction(), at);
        }
        if (!AcceptWord("in"))
        {
            return Is(TokenKind.Comma) || Is(TokenKind.CloseParen)
                ? new ActionScope.Any()
                : throw Unexpected("'==', 'in' or ','");
        }
        var actions = ImmutableArray.CreateBuilder<(EntityUid, SourceLocation)>();
        if (!Accept(TokenKind.OpenBracket))
        {
            var at = At(Current);
            return new ActionScope.In([(ParseAction(), at)], IsList: false);
        }
        while (!Accept(TokenKind.CloseBracket))
        {
            var at = At(Current);
            actions.Add((ParseAction(), at));
            if (!Is(TokenKind.CloseBracket))
                Expect(TokenKind.Comma, "',' or ']'");
        }
        return new ActionScope.In(actions.DrainToImmutable(), IsList: true);
    }

    private EntityUid ParseAction()
    {
        var start = Current;
        var uid = ParseEntityUid();
        return uid.IsAction ? uid : throw Fail(start, $"{uid} is no action: its type is not Action");
    }

    private EntityUid ParseEntityUid()
    {
        var type = ParsePath("an entity such as Type::\"id\"");
        if (!Accept(TokenKind.PathSeparator))
            throw Unexpected("'::' and the entity's id");
        return new EntityUid(type, Unquote(Expect(TokenKind.String, "the entity's id as a string")));
    }

    private PolicyCondition ParseCondition()
    {
        var isUnless = IsWord("unless");
        if (!isUnless && !IsWord("when"))
            throw Unexpected("'when', 'unless' or ';'");
        Advance();
        Expect(TokenKind.OpenBrace, "'{'");
        var body = ParseExpression();
        Expect(TokenKind.CloseBrace, "'}'");
        return new PolicyCondition(isUnless, body);
    }
}
